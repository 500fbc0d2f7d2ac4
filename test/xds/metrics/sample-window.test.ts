import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { windowSince } from '../../../src/model/metric-window.ts';
import type { NodeMetrics } from '../../../src/model/node-metrics.ts';
import { newFlush } from '../../../src/xds/metrics/decode-metrics.ts';
import { addSample, WINDOW_MS } from '../../../src/xds/metrics/sample-window.ts';
import { toSample } from '../../../src/xds/metrics/to-sample.ts';

const sampleAt = (at: number) => toSample(newFlush(), at, undefined);

function fill(gaps: readonly number[], process: string | null = 'p'): NodeMetrics {
  let at = 1_000_000;
  let metrics: NodeMetrics | undefined;
  for (const gap of gaps) {
    at += gap;
    metrics = addSample(metrics, 'edge-1', process, sampleAt(at));
  }
  assert.ok(metrics !== undefined);
  return metrics;
}

test('the last minute and a half is whole, then there is one a minute, and after a quarter of an hour nothing', () => {
  const { samples } = fill(Array(720).fill(5000));
  const newest = samples.at(-1)?.at ?? 0;
  const ages = samples.map(({ at }) => newest - at);
  assert.equal(ages.filter(age => age < 90_000).length, 18);
  assert.ok(ages.filter(age => age >= 90_000).length >= 13);
  assert.ok((ages[0] ?? 0) > 14 * 60_000 && (ages[0] ?? 0) < WINDOW_MS);
});

test('however often an Envoy flushes, the samples are few, in order, and the newest is there', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 9000 }), { minLength: 1, maxLength: 400 }), gaps => {
      const { samples } = fill(gaps);
      const times = samples.map(({ at }) => at);
      assert.ok(samples.length <= 42);
      assert.deepEqual(
        times,
        [...times].sort((a, b) => a - b),
      );
      assert.equal(times.at(-1), 1_000_000 + gaps.reduce((sum, gap) => sum + gap, 0));
    }),
  );
});

test('an Envoy that flushes each second leaves no gap of more than eight', () => {
  const times = fill(Array(90).fill(1000)).samples.map(({ at }) => at);
  for (const [i, at] of times.entries()) assert.ok(i === 0 || at - (times[i - 1] ?? 0) <= 8000);
});

test('another process begins a new window; one that is not known goes on', () => {
  const first = addSample(undefined, 'edge-1', 'p', sampleAt(1000));
  assert.equal(addSample(first, 'edge-1', null, sampleAt(9000)).samples.length, 2);
  const other = addSample(first, 'edge-1', 'q', sampleAt(9000));
  assert.deepEqual([other.process, other.samples.length], ['q', 1]);
});

test('what was answered before the clock was set back does not count for a move after it', () => {
  let metrics: NodeMetrics | undefined;
  const take = (at: number, errors: number) => {
    const flush = {
      ...newFlush(),
      byClass: [0, 0, 0, 0, errors] as [number, number, number, number, number],
    };
    metrics = addSample(metrics, 'edge-1', 'p', toSample(flush, at, metrics?.samples.at(-1)));
  };
  take(3_600_000, 0);
  take(3_605_000, 50);
  const movedAt = 10_000;
  take(11_000, 50);
  take(16_000, 51);
  assert.equal(windowSince(metrics, movedAt, movedAt, 16_000)?.errors5xx, 1);
});
