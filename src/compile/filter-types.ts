/** Type URLs of the filters that Attaché writes or looks for. */
const V3 = 'type.googleapis.com/envoy.extensions.filters';

export const WASM_TYPE = `${V3}.http.wasm.v3.Wasm`;
/** Envoy 1.39 and later. https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/filter_chain_filter */
export const FILTER_CHAIN_TYPE = `${V3}.http.filter_chain.v3.FilterChainConfig`;
export const RBAC_TYPE = `${V3}.http.rbac.v3.RBAC`;
export const ROUTER_TYPE = `${V3}.http.router.v3.Router`;
export const HTTP_CONNECTION_MANAGER_TYPE = `${V3}.network.http_connection_manager.v3.HttpConnectionManager`;
export const STRING_VALUE_TYPE = 'type.googleapis.com/google.protobuf.StringValue';

/** The cluster that modules are fetched through: delivered by CDS, or standing in the bootstrap. */
export const MODULE_CLUSTER = 'attache_modules';

/**
 * How plugins are put into slots, chosen per node from what it can do. chain: a slot per phase, holding a chain.
 * single: a slot per plugin, for Envoys before 1.39.
 */
export type SlotLayout = 'chain' | 'single';
