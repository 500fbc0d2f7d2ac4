/**
 * What an Envoy pushed of its stats, bounded. Written by the xds stage from the metrics service; never stored.
 * Counters are as Envoy has them: since its start, and some vanish and begin again (envoy.md, section 11).
 */
export interface NodeMetrics {
  readonly node: string;
  /** The run of the Envoy, when it is known. */
  readonly process: string | null;
  /** Oldest first; close ones are thinned out as they age. */
  readonly samples: readonly MetricSample[];
}

export interface MetricSample {
  /** When it arrived, ms. */
  readonly at: number;
  /** Sums over the HTTP connection managers, the admin's own left out: responses by class 1xx … 5xx. */
  readonly byClass: readonly [number, number, number, number, number];
  /** Cumulative counts of `downstream_rq_time` per LATENCY_BOUNDS_MS bucket, the last one open. */
  readonly latency: readonly number[];
  /** `wasm.envoy.wasm.runtime.v8.created` and `.active`; null: not sent. */
  readonly vmCreated: number | null;
  readonly vmActive: number | null;
  /** Worker threads (`server.concurrency`); null: not sent. */
  readonly workers: number | null;
  /** By plugin (`<namespace>/<name>`): sum of `vm_reload_success`, `_backoff` and `_failure`. */
  readonly reloads: Readonly<Record<string, number>>;
  /** By place: ECDS contents tried, and refused ones among them. */
  readonly ecds: Readonly<Record<string, { readonly reload: number; readonly fail: number }>>;
  /** The plugins' own metrics (`wasmcustom.<name>`), without the prefix; at most 64. */
  readonly custom: Readonly<Record<string, number>>;
  /**
   * Connections by listener, as its stats are called (toListenerStatName): opened since the Envoy's start, and open now. One
   * that never had a connection is not there; at most 256.
   */
  readonly listeners: Readonly<Record<string, { readonly opened: number; readonly open: number }>>;
  /** `server.memory_allocated`, bytes; null: not sent. */
  readonly memoryBytes: number | null;
}

/** Envoy's default histogram buckets, upper bounds in ms. */
export const LATENCY_BOUNDS_MS: readonly number[] = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
];

/** What happened on a node between two times, as far as samples tell. */
export interface MetricWindow {
  /** The times of the samples it was made from. */
  readonly from: number;
  readonly to: number;
  readonly requests: number;
  readonly errors5xx: number;
  readonly latency: readonly number[];
  readonly reloads: Readonly<Record<string, number>>;
}
