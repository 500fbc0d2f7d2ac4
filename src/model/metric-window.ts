import { LATENCY_BOUNDS_MS, type MetricSample, type MetricWindow, type NodeMetrics } from './node-metrics.ts';

/**
 * What a node answered between two times (ms), from the last sample at or before `from` (or else the first one after
 * it) to the last at or before `to`. undefined: there are no two samples. The window says which times it really has.
 *
 * A counter that drops (it vanished, or the Envoy began anew) tells nothing about that interval, and is left out of
 * it: guessing would make requests of the past into requests of now.
 */
export function windowOf(
  metrics: NodeMetrics | undefined,
  from: number,
  to: number,
): MetricWindow | undefined {
  return toWindow(samplesOf(metrics, from, to));
}

/** The same of a node that was moved at `floor`: nothing from before that counts. */
export function windowSince(
  metrics: NodeMetrics | undefined,
  floor: number,
  from: number,
  to: number,
): MetricWindow | undefined {
  return toWindow(samplesOf(metrics, from, to).filter(({ at }) => at >= floor));
}

/** What a window is made from: the last sample at or before `from`, and those until `to`. */
export function samplesOf(
  metrics: NodeMetrics | undefined,
  from: number,
  to: number,
): readonly MetricSample[] {
  const samples = metrics?.samples ?? [];
  const begin = samples.findLastIndex(({ at }) => at <= from);
  return samples.slice(Math.max(begin, 0), samples.findLastIndex(({ at }) => at <= to) + 1);
}

/** What of a window tells whether a node serves; a fraction of the work. */
export type RequestWindow = Pick<MetricWindow, 'from' | 'to' | 'requests' | 'errors5xx'>;

/** As `windowOf`, without latency and crashes. */
export function requestsIn(
  metrics: NodeMetrics | undefined,
  from: number,
  to: number,
): RequestWindow | undefined {
  return countRequests(samplesOf(metrics, from, to));
}

function toWindow(used: readonly MetricSample[]): MetricWindow | undefined {
  const counts = countRequests(used);
  return counts && { ...counts, latency: growLatency(used), reloads: growReloads(used) };
}

function countRequests(used: readonly MetricSample[]): RequestWindow | undefined {
  let [before] = used;
  const last = used.at(-1);
  if (before === undefined || last === undefined || before === last) return undefined;
  const { at: from } = before;
  let requests = 0;
  let errors5xx = 0;
  for (const after of used) {
    if (!hasDropped(before.byClass, after.byClass)) {
      requests += total(after.byClass) - total(before.byClass);
      errors5xx += after.byClass[4] - before.byClass[4];
    }
    before = after;
  }
  return { from, to: last.at, requests, errors5xx };
}

function growLatency(used: readonly MetricSample[]): readonly number[] {
  const grown: number[] = [];
  let [before] = used;
  for (const after of used) {
    if (before !== undefined && !hasDropped(before.latency, after.latency))
      for (const [bucket, count] of after.latency.entries())
        grown[bucket] = (grown[bucket] ?? 0) + count - (before.latency[bucket] ?? 0);
    before = after;
  }
  return grown;
}

function hasDropped(before: readonly number[], after: readonly number[]): boolean {
  return before.some((count, index) => count > (after[index] ?? 0));
}

function total(counts: readonly number[]): number {
  return counts.reduce((a, b) => a + b, 0);
}

function growReloads(samples: readonly MetricSample[]): Readonly<Record<string, number>> {
  const plugins = new Set(samples.flatMap(({ reloads }) => Object.keys(reloads)));
  const grown = [...plugins].map(
    plugin => [plugin, growCounter(samples, ({ reloads }) => reloads[plugin])] as const,
  );
  return Object.fromEntries(grown.filter(([, by]) => by > 0));
}

/**
 * By how much one counter grew over samples. In one that was not sent it keeps what it had (some vanish and come back);
 * where it drops, it began anew; what was never sent before was 0.
 */
export function growCounter(
  samples: readonly MetricSample[],
  read: (sample: MetricSample) => number | undefined,
): number {
  let known = samples[0] === undefined ? 0 : (read(samples[0]) ?? 0);
  let grown = 0;
  for (const sample of samples.slice(1)) {
    const count = read(sample) ?? known;
    grown += count < known ? count : count - known;
    known = count;
  }
  return grown;
}

/** Several nodes, or several windows of one node, as one; undefined: there are none. */
export function sumWindows(windows: Iterable<MetricWindow | undefined>): MetricWindow | undefined {
  let sum: MetricWindow | undefined;
  for (const window of windows) {
    if (window === undefined) continue;
    sum = sum === undefined ? window : addWindows(sum, window);
  }
  return sum;
}

function addWindows(a: MetricWindow, b: MetricWindow): MetricWindow {
  const reloads: Record<string, number> = { ...a.reloads };
  for (const [plugin, count] of Object.entries(b.reloads)) reloads[plugin] = (reloads[plugin] ?? 0) + count;
  return {
    from: Math.min(a.from, b.from),
    to: Math.max(a.to, b.to),
    requests: a.requests + b.requests,
    errors5xx: a.errors5xx + b.errors5xx,
    latency: addLists(a.latency, b.latency),
    reloads,
  };
}

function addLists(a: readonly number[], b: readonly number[]): readonly number[] {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  return long.map((count, index) => count + (short[index] ?? 0));
}

/** Percent of requests that were answered 5xx; null: there were none. */
export function share5xx(
  of: { readonly requests: number; readonly errors5xx: number } | undefined,
): number | null {
  return of === undefined || of.requests === 0 ? null : (of.errors5xx / of.requests) * 100;
}

/** The time in ms that 99 of 100 requests stay below, from counts per bucket; null: there were none. */
export function p99(latency: readonly number[]): number | null {
  const total = latency.reduce((a, b) => a + b, 0);
  if (total === 0) return null;
  let below = 0;
  for (const [index, count] of latency.entries()) {
    const wanted = total * 0.99 - below;
    if (wanted <= count) {
      const low = LATENCY_BOUNDS_MS[index - 1] ?? 0;
      const high = LATENCY_BOUNDS_MS[index] ?? low;
      return low + (high - low) * (wanted / count);
    }
    below += count;
  }
  return LATENCY_BOUNDS_MS.at(-1) ?? null;
}
