/** What `GET /metrics` tells: docs/metrics.md has these rows, and a test compares both with a scrape. */
export interface MetricRow {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Each with what bounds its values: none is a name that a user or a node chose. */
  readonly labels: Readonly<Record<string, string>>;
  /** Upper bounds of a histogram, seconds. */
  readonly buckets?: readonly number[];
}

/** As prom-client takes a row. */
export function toOptions({ name, help, labels }: MetricRow) {
  return { name, help, labelNames: Object.keys(labels) };
}

type Labels = MetricRow['labels'];

function counter(name: string, help: string, labels: Labels = {}): MetricRow {
  return { name, type: 'counter', help, labels };
}

function gauge(name: string, help: string, labels: Labels = {}): MetricRow {
  return { name, type: 'gauge', help, labels };
}

function histogram(name: string, help: string, buckets: readonly number[], labels: Labels = {}): MetricRow {
  return { name, type: 'histogram', help, labels, buckets };
}

const TYPE = 'cds, eds, lds, rds, sds, rtds, ecds';

/** Counters begin at 0 with the process. */
export const METRICS = {
  connectedNodes: gauge('attache_xds_connected_nodes', 'Envoys that are connected'),
  knownNodes: gauge('attache_xds_known_nodes', 'Envoys that are remembered, connected or not'),
  stuckStreams: gauge(
    'attache_xds_stuck_streams',
    'connected Envoys that have owed an answer for more than 5 s',
  ),
  pushes: counter('attache_xds_pushes_total', 'responses with resources that were sent', { type: TYPE }),
  acks: counter('attache_xds_acks_total', 'responses that an Envoy acknowledged', { type: TYPE }),
  nacks: counter('attache_xds_nacks_total', 'responses that an Envoy did not take, by why', {
    type: TYPE,
    reason: 'the seven words below',
  }),
  convergence: histogram(
    'attache_xds_convergence_seconds',
    'from a change for a connected Envoy to its last acknowledgement of it',
    [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  ),
  connections: gauge('attache_xds_connections', 'connections that are open on the xDS port'),
  streams: gauge('attache_xds_streams', 'streams and calls that are open on the xDS port'),
  limitHits: counter('attache_xds_limit_hits_total', 'times that a client hit a limit of the xDS port', {
    limit: 'the names of `xds-limit`',
  }),
  nodeRefusals: counter(
    'attache_node_refusals_total',
    'times that an Envoy did not prove to be the node that it says',
    { code: 'error codes: `node-refused` and those of `node-credential`' },
  ),
  fetches: counter('attache_wasm_fetch_total', 'modules that were asked of their source', {
    result: '`ok`, `cancelled`, or an error code of the module stage',
  }),
  lookups: counter('attache_wasm_cache_lookups_total', 'times that a plugin needed a module', {
    hit: '`true`: it was in the cache; `false`',
  }),
  preflight: histogram(
    'attache_preflight_seconds',
    'trial runs of plugins before a rollout, waiting for a turn included',
    [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
    { result: 'ok, unsure, broken, refused, trapped, timed-out, out-of-memory, not-run' },
  ),
  rollouts: gauge('attache_rollouts', 'plugins by the phase of their newest rollout', {
    phase: 'the twelve phases of a rollout',
  }),
  rolloutNodes: gauge('attache_rollout_nodes', 'pairs of a plugin and a node, by state', {
    state: 'the nine states of a plugin on a node',
  }),
  frozen: gauge('attache_frozen', '1 while all changes are stopped (`attache freeze`), else 0'),
  storeRevision: gauge('attache_store_revision', 'the number of the last transaction of the store'),
  storeWrite: histogram(
    'attache_store_write_seconds',
    'transactions of the store, until they are on the disk',
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
  ),
  storeErrors: counter('attache_store_write_errors_total', 'transactions that the store could not write', {
    code: 'error codes of the store',
  }),
  watchLag: gauge(
    'attache_store_watch_lag_seconds',
    'how long the oldest change has waited for the part of Attaché that is to act on it',
  ),
  eventLoopLag: histogram(
    'attache_eventloop_lag_seconds',
    'how much later than asked a timer fired; taken ten times a second',
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  ),
  certExpiry: gauge('attache_cert_expiry_timestamp_seconds', 'when a certificate of ours ends, Unix time', {
    certificate: '`tls-cert`, `client-ca`: of each the one that ends first',
  }),
  requests: counter('attache_api_requests_total', 'requests of the API port, when they have ended', {
    route: 'the templates of the API, `/v2/*` for the registry, `other`',
    method: 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, `other`',
    status: 'status codes of HTTP; `none` where the client left before an answer',
  }),
  buildInfo: gauge('attache_build_info', 'always 1', {
    version: 'one: that of this Attaché',
    node: 'one: that of its Node.js',
  }),
  cpu: counter('process_cpu_seconds_total', 'processor time that this process used'),
  memory: gauge('process_resident_memory_bytes', 'memory that this process has of the system'),
  heap: gauge('nodejs_heap_size_used_bytes', 'memory that JavaScript objects take'),
  startTime: gauge('process_start_time_seconds', 'when this process began, Unix time'),
} satisfies Record<string, MetricRow>;
