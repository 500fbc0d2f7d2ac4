import type { MetricSample, NodeMetrics } from '../../src/model/node-metrics.ts';

/** What happened on a node until a sample came, since the one before. */
export interface Interval {
  readonly ok?: number;
  readonly bad?: number;
  readonly latency?: readonly number[];
  readonly crashes?: number;
  readonly denied?: number;
  readonly memoryBytes?: number;
}

export const PLUGIN = 'default/auth';

/** Samples `everyMs` apart, the first one at `start` with counts that an Envoy that runs for long would have. */
export function makeMetrics(start: number, everyMs: number, intervals: readonly Interval[]): NodeMetrics {
  let ok = 10_000;
  let bad = 7;
  let crashes = 2;
  let denied = 5;
  const latency: number[] = [];
  const samples = [{}, ...intervals].map((interval: Interval, index): MetricSample => {
    ok += interval.ok ?? 0;
    bad += interval.bad ?? 0;
    crashes += interval.crashes ?? 0;
    denied += interval.denied ?? 0;
    for (const [bucket, count] of (interval.latency ?? []).entries())
      latency[bucket] = (latency[bucket] ?? 0) + count;
    return makeSample(start + index * everyMs, {
      byClass: [0, ok, 0, 0, bad],
      latency: Array.from({ length: 20 }, (_, bucket) => latency[bucket] ?? 0),
      reloads: { [PLUGIN]: crashes },
      custom: { auth_denied: denied },
      memoryBytes: interval.memoryBytes ?? null,
    });
  });
  return { node: 'edge-1', process: 'p1', samples };
}

export function makeSample(at: number, over: Partial<MetricSample> = {}): MetricSample {
  return {
    at,
    byClass: [0, 0, 0, 0, 0],
    latency: [],
    vmCreated: null,
    vmActive: null,
    workers: null,
    reloads: {},
    ecds: {},
    custom: {},
    listeners: {},
    memoryBytes: null,
    ...over,
  };
}

/** The same thing `count` times. */
export function repeat(interval: Interval, count: number): readonly Interval[] {
  return Array.from({ length: count }, () => interval);
}
