import { randomBytes } from 'node:crypto';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { API_TYPE } from './xds-form.ts';

const V3 = 'type.googleapis.com/envoy.';
const HCM = `${V3}extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`;
const ROUTER = `${V3}extensions.filters.http.router.v3.Router`;
export const RBAC = `${V3}extensions.filters.http.rbac.v3.RBAC`;
export const WASM = `${V3}extensions.filters.http.wasm.v3.Wasm`;
export const FILTER_CHAIN = `${V3}extensions.filters.http.filter_chain.v3.FilterChainConfig`;

/** A bootstrap that takes listeners from an ADS server and modules from a host of ours; both plain. */
export function rawBootstrap(options: {
  readonly id: string;
  readonly xdsPort: number;
  readonly modulesPort: number;
  readonly upstreamPort: number;
  /** Default: that of the run. */
  readonly apiType?: 'DELTA_GRPC' | 'GRPC';
  /** Of a metrics service that gets the stats twice a second; default: none does. */
  readonly metricsPort?: number;
}): JsonObject {
  const { id, xdsPort, modulesPort, upstreamPort, apiType = API_TYPE, metricsPort } = options;
  const sinkClusters = metricsPort === undefined ? [] : [toHttp2(rawCluster('metrics', metricsPort))];
  return {
    node: { id, cluster: 'raw' },
    static_resources: {
      clusters: [
        toHttp2(rawCluster('attache_xds', xdsPort)),
        ...sinkClusters,
        toStatic(rawCluster('attache_modules', modulesPort)),
        toStatic(rawCluster('upstream', upstreamPort)),
      ],
    },
    dynamic_resources: {
      ads_config: {
        api_type: apiType,
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: 'attache_xds' } }],
      },
      lds_config: { ads: {}, resource_api_version: 'V3' },
    },
    ...(metricsPort === undefined ? {} : { stats_sinks: [RAW_SINK], stats_flush_interval: '0.5s' }),
  };
}

const RAW_SINK: JsonObject = {
  name: 'envoy.stat_sinks.metrics_service',
  typed_config: {
    '@type': `${V3}config.metrics.v3.MetricsServiceConfig`,
    transport_api_version: 'V3',
    grpc_service: { envoy_grpc: { cluster_name: 'metrics' } },
  },
};

const HTTP2: JsonObject = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': `${V3}extensions.upstreams.http.v3.HttpProtocolOptions`,
    explicit_http_config: { http2_protocol_options: {} },
  },
};

function toHttp2(cluster: JsonObject): JsonObject {
  return { ...toStatic(cluster), typed_extension_protocol_options: HTTP2 };
}

/** In a bootstrap there is no `@type`. */
function toStatic({ '@type': _, ...cluster }: JsonObject): JsonObject {
  return cluster;
}

/** A cluster of one port on this machine. */
export function rawCluster(name: string, port: number): JsonObject {
  const address = { socket_address: { address: '127.0.0.1', port_value: port } };
  return {
    '@type': `${V3}config.cluster.v3.Cluster`,
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}

export interface RawSlot {
  readonly name: string;
  /** Default `0s`: for ever. */
  readonly fetchTimeout?: string;
  /** What serves until the slot was answered: `allow` (default) lets through, `deny` answers 403. */
  readonly unanswered?: 'allow' | 'deny';
  /** Types that may arrive; default: chain, RBAC and Wasm. An Envoy before 1.39 refuses the chain's. */
  readonly typeUrls?: readonly string[];
}

/** A listener on a free port with these HTTP filters before the router, everything routed to `upstream`. */
export function rawListener(
  name: string,
  filters: readonly JsonObject[],
  extra: JsonObject = {},
): JsonObject {
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'upstream', timeout: '30s' } }];
  const hcm: JsonObject = {
    '@type': HCM,
    stat_prefix: name,
    route_config: { virtual_hosts: [{ name: 'all', domains: ['*'], routes }] },
    http_filters: [...filters, { name: 'envoy.filters.http.router', typed_config: { '@type': ROUTER } }],
  };
  return {
    '@type': `${V3}config.listener.v3.Listener`,
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: 0 } },
    filter_chains: [{ filters: [{ name: 'http', typed_config: hcm }] }],
    ...extra,
  };
}

export function rawSlot(slot: RawSlot): JsonObject {
  const { name, fetchTimeout = '0s', unanswered = 'allow', typeUrls = [FILTER_CHAIN, RBAC, WASM] } = slot;
  return {
    name,
    config_discovery: {
      config_source: { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: fetchTimeout },
      type_urls: [...typeUrls],
      default_config: unanswered === 'deny' ? { '@type': RBAC, rules: {} } : { '@type': RBAC },
    },
  };
}

export interface RawWasm {
  readonly name: string;
  readonly sha256: string;
  /** What the plugin gets as its configuration. */
  readonly configuration?: JsonObject | string;
  /** true: the verdict form; false: the warming form. */
  readonly nack: boolean;
  /** Default: a new random one each time. */
  readonly tag?: string;
  readonly timeout?: string;
  /** Other settings of `vm_config.code.remote`, e.g. a retry policy. */
  readonly remote?: JsonObject;
  readonly failurePolicy?: 'FAIL_RELOAD' | 'FAIL_CLOSED' | 'FAIL_OPEN';
}

export function rawWasm(plugin: RawWasm): JsonObject {
  const { name, sha256, configuration = '', nack, timeout = '10s' } = plugin;
  const value = typeof configuration === 'string' ? configuration : JSON.stringify(configuration);
  const uri = `http://attache/m/${sha256}?tag=${plugin.tag ?? newTag()}`;
  return {
    '@type': WASM,
    config: {
      name,
      configuration: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value },
      failure_policy: plugin.failurePolicy ?? 'FAIL_RELOAD',
      vm_config: {
        vm_id: `${name}.${sha256}`,
        runtime: 'envoy.wasm.runtime.v8',
        nack_on_code_cache_miss: nack,
        code: {
          remote: { http_uri: { uri, cluster: 'attache_modules', timeout }, sha256, ...plugin.remote },
        },
      },
    },
  };
}

export function rawChain(filters: readonly (JsonObject & { readonly config?: JsonObject })[]): JsonObject {
  const links = filters.map((filter, i) => ({ name: `link-${i}`, typed_config: filter }));
  return { '@type': FILTER_CHAIN, default_filter_chain: { filters: links } };
}

export const PASS_THROUGH: JsonObject = { '@type': RBAC };

export function newTag(): string {
  return randomBytes(8).toString('hex');
}
