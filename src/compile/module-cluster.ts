import { isIP } from 'node:net';
import type { JsonObject } from '../model/plugin-spec.ts';
import { CLUSTER_TYPE } from '../model/type-url.ts';
import { MODULE_CLUSTER } from './filter-types.ts';

/** Where Envoys reach the module server. */
export interface ModuleAddress {
  readonly host: string;
  readonly port: number;
}

/** The cluster that modules are fetched through, HTTP/1.1; a user's cluster of that name takes its place. */
export function buildModuleCluster({ host, port }: ModuleAddress): JsonObject {
  const endpoint = { address: { socket_address: { address: host, port_value: port } } };
  return {
    '@type': CLUSTER_TYPE,
    name: MODULE_CLUSTER,
    connect_timeout: '5s',
    ...(isIP(host) === 0 ? { type: 'STRICT_DNS', dns_lookup_family: 'V4_PREFERRED' } : { type: 'STATIC' }),
    load_assignment: { cluster_name: MODULE_CLUSTER, endpoints: [{ lb_endpoints: [{ endpoint }] }] },
  };
}
