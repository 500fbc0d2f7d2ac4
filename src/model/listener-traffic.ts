import { requestsIn, samplesOf } from './metric-window.ts';
import type { MetricSample, NodeMetrics } from './node-metrics.ts';

/** How far back a listener is looked at: some flushes of an Envoy, which come every 5 s unless it was told otherwise. */
export const TRAFFIC_WINDOW_MS = 60_000;

/**
 * Whether a listener of a node carries traffic, as far as the node's own figures tell. carries: connections are open, or
 * were opened within the window. idle: neither. unknown: it sends no figures, or none that say it.
 */
export type ListenerTraffic =
  | { readonly state: 'carries'; readonly open: number; readonly opened: number }
  | { readonly state: 'idle' | 'unknown' };

/** `statName`: see toListenerStatName. `isHttp`: all its traffic is requests. Pure. */
export function trafficOf(
  metrics: NodeMetrics | undefined,
  { statName, isHttp }: { readonly statName: string; readonly isHttp: boolean },
  now: number,
): ListenerTraffic {
  const samples = samplesOf(metrics, now - TRAFFIC_WINDOW_MS, now).filter(
    ({ at }) => at > now - 2 * TRAFFIC_WINDOW_MS,
  );
  const last = samples.at(-1);
  if (last === undefined || last.at <= now - TRAFFIC_WINDOW_MS) return { state: 'unknown' };
  const counts = countOf(last, statName);
  if (counts !== undefined) {
    const opened = countOpened(samples, statName);
    return counts.open > 0 || opened > 0
      ? { state: 'carries', open: counts.open, opened }
      : { state: 'idle' };
  }
  // An Envoy leaves out what it never counted: where it sends others, this one had no connection yet.
  if (Object.keys(last.listeners).length > 0) return { state: 'idle' };
  const requests = requestsIn(metrics, now - TRAFFIC_WINDOW_MS, now)?.requests;
  return { state: isHttp && requests === 0 ? 'idle' : 'unknown' };
}

/** A count that drops began anew. */
function countOpened(samples: readonly MetricSample[], statName: string): number {
  let opened = 0;
  let before: number | undefined;
  for (const sample of samples) {
    const count = countOf(sample, statName)?.opened ?? 0;
    if (before !== undefined) opened += count < before ? count : count - before;
    before = count;
  }
  return opened;
}

function countOf(sample: MetricSample, statName: string): MetricSample['listeners'][string] | undefined {
  return Object.hasOwn(sample.listeners, statName) ? sample.listeners[statName] : undefined;
}
