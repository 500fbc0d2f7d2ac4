import type { MetricSample, NodeMetrics } from '../../model/node-metrics.ts';

/** How far back samples go. */
export const WINDOW_MS = 16 * 60_000;
/** Older ones are thinned to one a minute. */
const FINE_MS = 90_000;
const COARSE_MS = 60_000;
/** An Envoy that flushes more often is thinned to this at once; only the newest sample may be closer. */
const CLOSEST_MS = 4000;

/** The samples that go on with this process; those of another one say nothing about it: its counters began anew. */
export function samplesOf(known: NodeMetrics | undefined, process: string | null): readonly MetricSample[] {
  if (known === undefined) return [];
  const isOther = known.process !== null && process !== null && known.process !== process;
  return isOther ? [] : known.samples;
}

/** The node's metrics with one more sample. About 40 samples at most, however often an Envoy flushes. */
export function addSample(
  known: NodeMetrics | undefined,
  node: string,
  process: string | null,
  sample: MetricSample,
): NodeMetrics {
  return { node, process, samples: [...thin(samplesOf(known, process), sample.at), sample] };
}

/**
 * A new process of which there is one sample: before that no plugin of its crashed, so that what the first sample counts
 * happened since. Of requests that cannot be said: listeners may have served long before it found us.
 */
export function withBeginning(known: NodeMetrics, beganAt: number): NodeMetrics {
  const [first] = known.samples;
  if (first === undefined || known.samples.length > 1 || first.at <= beganAt) return known;
  return { ...known, samples: [{ ...first, at: beganAt, reloads: {} }, first] };
}

/** In the place of the newest sample: more of the same flush came. */
export function replaceNewest(known: NodeMetrics, sample: MetricSample): NodeMetrics {
  return { ...known, samples: [...known.samples.slice(0, -1), sample] };
}

function thin(samples: readonly MetricSample[], now: number): MetricSample[] {
  const kept: MetricSample[] = [];
  for (const [i, sample] of samples.entries()) {
    // Where the clock was set back, what came before that would pass for what came after.
    if (sample.at <= now - WINDOW_MS || sample.at > now) continue;
    const before = kept.at(-1);
    const isOld = sample.at <= now - FINE_MS;
    if (isOld && before !== undefined && minuteOf(before) === minuteOf(sample)) continue;
    // The sample that comes makes the newest one of before dispensable where that came right after another.
    const isNewest = i === samples.length - 1;
    if (isNewest && before !== undefined && sample.at - before.at < CLOSEST_MS) continue;
    kept.push(sample);
  }
  return kept;
}

function minuteOf({ at }: MetricSample): number {
  return Math.floor(at / COARSE_MS);
}
