/** The xDS types that Attaché serves. Types are rows in a table, not code paths. */
export interface XdsType {
  readonly short: string;
  readonly typeUrl: string;
  /** Clusters first, extension configs last; removals go in reverse. */
  readonly order: number;
  /** An empty subscription on the first request means everything. */
  readonly wildcard: boolean;
  /** The path element of `/v1/resources/{type}`. */
  readonly plural: string;
}

const V3 = 'type.googleapis.com/envoy.';

export const CLUSTER_TYPE = `${V3}config.cluster.v3.Cluster`;
export const ENDPOINT_TYPE = `${V3}config.endpoint.v3.ClusterLoadAssignment`;
export const LISTENER_TYPE = `${V3}config.listener.v3.Listener`;
export const ROUTE_TYPE = `${V3}config.route.v3.RouteConfiguration`;
export const SECRET_TYPE = `${V3}extensions.transport_sockets.tls.v3.Secret`;
export const RUNTIME_TYPE = `${V3}service.runtime.v3.Runtime`;
export const EXTENSION_CONFIG_TYPE = `${V3}config.core.v3.TypedExtensionConfig`;

export const XDS_TYPES: readonly XdsType[] = [
  { short: 'cds', typeUrl: CLUSTER_TYPE, order: 0, wildcard: true, plural: 'clusters' },
  { short: 'eds', typeUrl: ENDPOINT_TYPE, order: 1, wildcard: false, plural: 'endpoints' },
  { short: 'lds', typeUrl: LISTENER_TYPE, order: 2, wildcard: true, plural: 'listeners' },
  { short: 'rds', typeUrl: ROUTE_TYPE, order: 3, wildcard: false, plural: 'routes' },
  { short: 'sds', typeUrl: SECRET_TYPE, order: 4, wildcard: false, plural: 'secrets' },
  { short: 'rtds', typeUrl: RUNTIME_TYPE, order: 5, wildcard: false, plural: 'runtimes' },
  { short: 'ecds', typeUrl: EXTENSION_CONFIG_TYPE, order: 6, wildcard: false, plural: 'extensions' },
];
