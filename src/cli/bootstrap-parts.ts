import { CLUSTER_TYPE } from '../model/type-url.ts';
import { type BootstrapProof, toInitialMetadata, toTransportSocket } from './bootstrap-proof.ts';

/** What the pieces of a bootstrap are made from. Hosts and ports are those that the Envoy uses. */
export interface ControlPlaneAddress {
  readonly host: string;
  readonly port: number;
}

const TYPE = 'type.googleapis.com/envoy.extensions.';
const CHAIN_TYPE = `${TYPE}filters.http.filter_chain.v3.FilterChainConfig`;
const WASM_TYPE = `${TYPE}filters.http.wasm.v3.Wasm`;
const RBAC_TYPE = `${TYPE}filters.http.rbac.v3.RBAC`;

/** Cluster names, part of the interface between Attaché and an Envoy. */
export const XDS_CLUSTER = 'attache_xds';
export const MODULES_CLUSTER = 'attache_modules';

/** How the places of a listener are filled: chains (Envoy 1.39 and later) or one plugin each. */
export type PlaceLayout = 'chain' | 'single';
export type Unanswered = 'deny' | 'allow';

/** The two clusters: gRPC with keepalive for xDS, HTTP/1.1 for modules. */
export function toClusters(
  xds: ControlPlaneAddress,
  modules: ControlPlaneAddress,
  proof: BootstrapProof,
): Record<string, object> {
  return {
    [XDS_CLUSTER]: {
      ...toCluster(XDS_CLUSTER, xds),
      ...toTransportSocket('xds', xds.host, proof),
      typed_extension_protocol_options: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
          '@type': `${TYPE}upstreams.http.v3.HttpProtocolOptions`,
          explicit_http_config: {
            http2_protocol_options: { connection_keepalive: { interval: '30s', timeout: '60s' } },
          },
        },
      },
    },
    [MODULES_CLUSTER]: {
      ...toCluster(MODULES_CLUSTER, modules),
      ...toTransportSocket('modules', modules.host, proof),
    },
  };
}

/** A cluster of one address; STATIC where the host is an IP, STRICT_DNS where it is a name. */
export function toCluster(name: string, address: ControlPlaneAddress): object {
  return {
    name,
    type: isIp(address.host) ? 'STATIC' : 'STRICT_DNS',
    connect_timeout: '5s',
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: toSocketAddress(address) } }] }],
    },
  };
}

/** The same as a document of its own, as `attache apply` takes it. */
export function toClusterDocument(name: string, address: ControlPlaneAddress): object {
  return { '@type': CLUSTER_TYPE, ...toCluster(name, address) };
}

export function toSocketAddress(address: ControlPlaneAddress): object {
  return { socket_address: { address: address.host, port_value: address.port } };
}

export function toAdsConfig(proof: BootstrapProof): object {
  return {
    api_type: 'DELTA_GRPC',
    transport_api_version: 'V3',
    set_node_on_first_message_only: true,
    grpc_services: [
      { envoy_grpc: { cluster_name: XDS_CLUSTER, retry_policy: RECONNECT }, ...toInitialMetadata(proof) },
    ],
  };
}

/** Envoy's own back-off grows to 30 s: too long to wait for it after a short restart of Attaché. */
const RECONNECT = { retry_back_off: { base_interval: '0.5s', max_interval: '10s' } };

export function toOverAds(): object {
  return { ads: {}, resource_api_version: 'V3' };
}

export function toStatsSink(proof: BootstrapProof): object {
  return {
    name: 'envoy.stat_sinks.metrics_service',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.config.metrics.v3.MetricsServiceConfig',
      transport_api_version: 'V3',
      grpc_service: { envoy_grpc: { cluster_name: XDS_CLUSTER }, ...toInitialMetadata(proof) },
    },
  };
}

/** Only what Attaché reads; with it the user's own sinks lose everything else, so only where asked for. */
export function toLeanStats(): object {
  const prefixes = [
    // The VMs and crashes of plugins, and their own metrics: `wasm.` and `wasmcustom.`.
    'wasm',
    'http.',
    'extension_config_discovery.',
    'listener_manager.',
    'control_plane.',
  ];
  const server = ['concurrency', 'memory_allocated', 'total_connections', 'hot_restart_epoch'];
  const patterns = [
    ...prefixes.map(prefix => ({ prefix })),
    // The connections of each listener, without those of each of its threads.
    { safe_regex: { regex: 'listener\\..*\\.downstream_cx_(total|active)' } },
    ...server.map(name => ({ exact: `server.${name}` })),
  ];
  return { stats_matcher: { inclusion_list: { patterns } } };
}

/**
 * Runtime values over ADS: a layer per runtime, a later one over an earlier one. Without layers of its own an Envoy has the
 * one of its admin page: it stays, above ours. https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/runtime
 */
export function toLayeredRuntime(names: readonly string[]): object {
  const layers = names.map(name => ({ name, rtds_layer: { name, rtds_config: toOverAds() } }));
  return { layers: [...layers, { name: 'admin', admin_layer: {} }] };
}

/**
 * A place in a listener: an ECDS filter over ADS. `deny` waits for the first answer as long as it takes and is
 * closed (403) where that one was refused; `allow` waits 15 s and lets through.
 */
export function toPlace(name: string, layout: PlaceLayout, unanswered: Unanswered): object {
  const closed = { '@type': RBAC_TYPE, rules: {}, rules_stat_prefix: 'attache_closed' };
  return {
    name,
    config_discovery: {
      config_source: { ...toOverAds(), initial_fetch_timeout: unanswered === 'deny' ? '0s' : '15s' },
      type_urls: [layout === 'chain' ? CHAIN_TYPE : WASM_TYPE, RBAC_TYPE],
      default_config: unanswered === 'deny' ? closed : { '@type': RBAC_TYPE },
    },
  };
}

function isIp(host: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(host) || host.includes(':');
}
