import { XDS_CLUSTER } from '../bootstrap-parts.ts';
import { toSnakeCase } from '../bootstrap-stats.ts';
import type { StatsConfig } from '../stats-matcher.ts';

/** What matters to Attaché in a bootstrap: that of a file, or the one that a running Envoy shows. */
export interface BootstrapReading {
  readonly nodeId: string;
  readonly nodeCluster: string;
  /** From `node.metadata.attache`, as `attache bootstrap` writes it. */
  readonly unanswered: string | undefined;
  /** Clusters of `ads_config`; undefined: there is no ADS. */
  readonly ads: readonly string[] | undefined;
  /** Where listeners come from beside the file: a path, a cluster, `ads`; undefined: from nowhere. */
  readonly lds: string | undefined;
  readonly cds: string | undefined;
  readonly clusters: readonly ClusterReading[];
  /** Clusters that metrics services among the sinks are at. */
  readonly sinks: readonly string[];
  readonly statsConfig: StatsConfig | undefined;
  readonly flushOnAdmin: boolean;
  /** Default 5 s. */
  readonly flushIntervalMs: number;
  readonly listeners: readonly ListenerReading[];
  /** Types of the API's version 2. */
  readonly oldTypes: readonly string[];
}

export interface ClusterReading {
  readonly name: string;
  /** `HOST:PORT` of its first endpoint. */
  readonly address: string | undefined;
  readonly http2: boolean;
  readonly keepalive: boolean;
}

export interface ListenerReading {
  readonly name: string;
  /** Of its HTTP connection managers. */
  readonly statPrefixes: readonly string[];
  readonly places: readonly PlaceReading[];
}

/** An HTTP filter that is filled over xDS, from Attaché unless ADS leads to somebody else. */
export interface PlaceReading {
  readonly name: string;
  /** Over ADS, whoever answers there; else over a stream of its own from Attaché. */
  readonly overAds: boolean;
  /** Default 15 s. */
  readonly timeoutMs: number;
  readonly types: readonly string[];
}

// biome-ignore lint/suspicious/noExplicitAny: JSON of anybody; every step asks whether it is there.
type Json = any;

const MANAGER = '.http_connection_manager.v3.HttpConnectionManager';
const OLD_TYPE = /\/envoy\.(api\.v2|config\.filter|config\.[\w.]+\.v2(alpha\d*)?)\./;
const PROTOCOL_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** From YAML or JSON, parsed; never throws on what it does not know. */
export function readBootstrap(value: unknown): BootstrapReading {
  const root = (toSnakeCase(value) ?? {}) as Json;
  const { node, dynamic_resources: dynamic, static_resources: resources } = root;
  return {
    nodeId: text(node?.id) ?? '',
    nodeCluster: text(node?.cluster) ?? '',
    unanswered: text(node?.metadata?.attache?.unanswered),
    ads: isObject(dynamic?.ads_config) ? readClusters(dynamic.ads_config) : undefined,
    lds: readSource(dynamic?.lds_config),
    cds: readSource(dynamic?.cds_config),
    clusters: list(resources?.clusters).map(readCluster),
    sinks: list(root.stats_sinks).flatMap(readSink),
    statsConfig: isObject(root.stats_config) ? root.stats_config : undefined,
    flushOnAdmin: root.stats_flush_on_admin === true,
    flushIntervalMs: readDuration(root.stats_flush_interval) ?? 5_000,
    listeners: list(resources?.listeners).map(readListener),
    oldTypes: [...new Set(findOldTypes(root))],
  };
}

/** One listener, wherever it came from. */
export function readListener(listener: Json): ListenerReading {
  const chains = [...list(listener?.filter_chains), ...list(listener?.default_filter_chain)];
  const managers = chains
    .flatMap(chain => list(chain?.filters))
    .map(filter => unwrap(filter?.typed_config))
    .filter(config => config.type.endsWith(MANAGER));
  return {
    name: text(listener?.name) ?? '',
    statPrefixes: managers.map(({ fields }) => text(fields?.stat_prefix) ?? ''),
    places: managers.flatMap(({ fields }) => list(fields?.http_filters).flatMap(readPlace)),
  };
}

function unwrap(config: Json): { type: string; fields: Json } {
  const type = text(config?.['@type']) ?? '';
  return type.endsWith('.TypedStruct')
    ? { type: text(config.type_url) ?? '', fields: config.value }
    : { type, fields: config };
}

function readPlace(filter: Json): PlaceReading[] {
  const source = filter?.config_discovery?.config_source;
  const overAds = isObject(source?.ads);
  if (!overAds && !readClusters(source?.api_config_source).includes(XDS_CLUSTER)) return [];
  return [
    {
      name: text(filter.name) ?? '',
      overAds,
      timeoutMs: readDuration(source.initial_fetch_timeout) ?? 15_000,
      types: list(filter.config_discovery.type_urls).map(String),
    },
  ];
}

function readCluster(cluster: Json): ClusterReading {
  const options = cluster?.typed_extension_protocol_options?.[PROTOCOL_OPTIONS]?.explicit_http_config;
  const http2 = options?.http2_protocol_options ?? cluster?.http2_protocol_options;
  const [locality] = list(cluster?.load_assignment?.endpoints);
  const [endpoint] = list(locality?.lb_endpoints);
  const address = endpoint?.endpoint?.address?.socket_address;
  return {
    name: text(cluster?.name) ?? '',
    address: address === undefined ? undefined : `${address.address}:${address.port_value}`,
    http2: isObject(http2),
    keepalive: isObject(http2?.connection_keepalive),
  };
}

function readSink(sink: Json): string[] {
  const config = sink?.typed_config;
  if (!text(config?.['@type'])?.endsWith('.MetricsServiceConfig')) return [];
  return [text(config.grpc_service?.envoy_grpc?.cluster_name) ?? ''];
}

function readSource(source: Json): string | undefined {
  if (!isObject(source)) return undefined;
  if (isObject((source as Json).ads)) return 'ads';
  const { path_config_source: file, path, api_config_source: api } = source as Json;
  return text(file?.path) ?? text(path) ?? `cluster ${readClusters(api).join(', ')}`;
}

function readClusters(source: Json): readonly string[] {
  return list(source?.grpc_services).map(
    service => text(service?.envoy_grpc?.cluster_name) ?? text(service?.google_grpc?.target_uri) ?? '',
  );
}

function findOldTypes(value: Json): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const type = text(value['@type']);
  const own = type !== undefined && OLD_TYPE.test(type) ? [type.slice(type.indexOf('/') + 1)] : [];
  return [...own, ...Object.values(value).flatMap(findOldTypes)];
}

/** `0.25s`, as proto3 JSON has it. */
function readDuration(value: Json): number | undefined {
  const seconds = /^([\d.]+)s$/.exec(text(value) ?? '')?.[1];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/** One thing in place of a list is a list of it, as for Envoy. */
function list(value: Json): readonly Json[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? [value] : [];
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
}
