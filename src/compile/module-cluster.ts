import { isIP } from 'node:net';
import type { JsonObject } from '../model/plugin-spec.ts';
import { CLUSTER_TYPE } from '../model/type-url.ts';
import { MODULE_CLUSTER } from './filter-types.ts';

/** Where Envoys reach the module server, and how. */
export interface ModuleAddress {
  readonly host: string;
  readonly port: number;
  /** `mtls`: with a certificate of theirs. */
  readonly speaks: 'plain' | 'tls' | 'mtls';
}

/** Static secrets of a bootstrap, part of the interface between Attaché and an Envoy. */
const CA_SECRET = 'attache_ca';
const NODE_SECRET = 'attache_node';
const TLS_TYPE = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext';

/**
 * The cluster that modules are fetched through, HTTP/1.1; a user's cluster of that name takes its place, and so does the one
 * that `attache bootstrap` writes. Where the files of TLS lie on a node only its bootstrap knows: they are its static
 * secrets here.
 */
export function buildModuleCluster({ host, port, speaks }: ModuleAddress): JsonObject {
  const endpoint = { address: { socket_address: { address: host, port_value: port } } };
  return {
    '@type': CLUSTER_TYPE,
    name: MODULE_CLUSTER,
    connect_timeout: '5s',
    ...(isIP(host) === 0 ? { type: 'STRICT_DNS', dns_lookup_family: 'V4_PREFERRED' } : { type: 'STATIC' }),
    load_assignment: { cluster_name: MODULE_CLUSTER, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
    ...(speaks === 'plain' ? {} : { transport_socket: toTransportSocket(host, speaks === 'mtls') }),
  };
}

function toTransportSocket(host: string, isMutual: boolean): JsonObject {
  const name = { san_type: isIP(host) === 0 ? 'DNS' : 'IP_ADDRESS', matcher: { exact: host } };
  return {
    name: 'envoy.transport_sockets.tls',
    typed_config: {
      '@type': TLS_TYPE,
      ...(isIP(host) === 0 ? { sni: host } : {}),
      common_tls_context: {
        ...(isMutual ? { tls_certificate_sds_secret_configs: [{ name: NODE_SECRET }] } : {}),
        combined_validation_context: {
          default_validation_context: { match_typed_subject_alt_names: [name] },
          validation_context_sds_secret_config: { name: CA_SECRET },
        },
      },
    },
  };
}
