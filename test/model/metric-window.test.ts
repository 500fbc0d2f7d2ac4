import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  growCounter,
  p99,
  samplesOf,
  share5xx,
  sumWindows,
  windowOf,
  windowSince,
} from '../../src/model/metric-window.ts';
import type { MetricSample, NodeMetrics } from '../../src/model/node-metrics.ts';
import { makeMetrics, makeSample, PLUGIN } from './metric-records.ts';

function of(...samples: readonly MetricSample[]): NodeMetrics {
  return { node: 'edge-1', process: 'p1', samples };
}

const byClass = (ok: number, bad: number): MetricSample['byClass'] => [0, ok, 0, 0, bad];

test('a window says what was answered between two times, and which times those are', () => {
  const metrics = makeMetrics(1000, 5000, [{ ok: 10 }, { ok: 20, bad: 3 }, { ok: 40 }]);
  const window = windowOf(metrics, 6500, 12_000);
  assert.deepEqual([window?.from, window?.to, window?.requests, window?.errors5xx], [6000, 11_000, 23, 3]);
});

test('a window that begins before the first sample begins with it', () => {
  const metrics = makeMetrics(1000, 5000, [{ ok: 10 }]);
  assert.equal(windowOf(metrics, 0, 99_000)?.requests, 10);
});

test('one sample, or none, makes no window', () => {
  const metrics = makeMetrics(1000, 5000, [{ ok: 10 }]);
  for (const [from, to] of [
    [0, 999],
    [0, 5999],
    [6000, 9000],
    [9000, 1000],
  ] as const)
    assert.equal(windowOf(metrics, from, to), undefined, `${from} to ${to}`);
  assert.equal(windowOf(undefined, 0, 1), undefined);
  assert.equal(windowOf(of(), 0, 1), undefined);
});

test('of a node that was moved, nothing from before the move counts', () => {
  const metrics = makeMetrics(0, 5000, [{ ok: 100 }, { ok: 50 }, { ok: 20 }]);
  assert.equal(windowSince(metrics, 3000, 0, 99_000)?.requests, 70);
  assert.equal(windowSince(metrics, 3000, 12_000, 99_000)?.requests, 20);
  assert.equal(windowSince(metrics, 12_000, 0, 99_000), undefined);
});

test('an interval in which counters drop is left out: past requests are not made new ones', () => {
  const restarted = of(
    makeSample(0, { byClass: byClass(9000, 50) }),
    makeSample(5, { byClass: byClass(9100, 50) }),
    makeSample(10, { byClass: byClass(30, 0) }),
    makeSample(15, { byClass: byClass(50, 10) }),
  );
  const window = windowOf(restarted, 0, 15);
  assert.deepEqual([window?.requests, window?.errors5xx], [130, 10]);
});

test('a listener that goes takes its counts with it, and those of the others stay', () => {
  const removed = of(
    makeSample(0, { byClass: byClass(9000, 900) }),
    makeSample(5, { byClass: byClass(4000, 910) }),
    makeSample(10, { byClass: byClass(4010, 910) }),
  );
  const window = windowOf(removed, 0, 10);
  assert.deepEqual([window?.requests, window?.errors5xx], [10, 0]);
});

const COUNTERS: readonly (readonly [string, readonly (number | undefined)[], number])[] = [
  ['nothing', [], 0],
  ['one sample', [7], 0],
  ['growth', [7, 9, 12], 5],
  ['first sent later', [undefined, 2, 3], 3],
  ['never sent', [undefined, undefined], 0],
  ['vanished and back as it was', [5, undefined, 5], 0],
  ['vanished and grown meanwhile', [5, undefined, 7], 2],
  ['began anew', [5, 1, 3], 3],
  ['vanished and began anew', [5, undefined, 1], 1],
];

for (const [what, counts, grown] of COUNTERS)
  test(`growth of a counter: ${what}`, () => {
    const samples = counts.map((count, at) =>
      makeSample(at, count === undefined ? {} : { custom: { c: count } }),
    );
    assert.equal(
      growCounter(samples, ({ custom }) => custom.c),
      grown,
    );
  });

test('crashes are told by plugin', () => {
  const metrics = of(
    makeSample(0, { reloads: { a: 3 } }),
    makeSample(5, { reloads: { a: 3, b: 2 } }),
    makeSample(10, { reloads: { b: 2 } }),
    makeSample(15, { reloads: { a: 4, b: 3 } }),
  );
  assert.deepEqual(windowOf(metrics, 0, 15)?.reloads, { a: 1, b: 3 });
});

test('windows add up; those that are not there add nothing', () => {
  const a = windowOf(makeMetrics(0, 5000, [{ ok: 1, bad: 1, crashes: 1, latency: [1] }]), 0, 5000);
  const b = windowOf(makeMetrics(1000, 5000, [{ ok: 2, crashes: 2, latency: [0, 4] }]), 0, 9000);
  const sum = sumWindows([a, undefined, b]);
  assert.deepEqual(
    [sum?.from, sum?.to, sum?.requests, sum?.errors5xx, sum?.reloads, sum?.latency.slice(0, 3)],
    [0, 6000, 4, 1, { [PLUGIN]: 3 }, [1, 4, 0]],
  );
  assert.equal(sumWindows([undefined]), undefined);
  assert.equal(sumWindows([]), undefined);
});

test('the share of 5xx is a percentage, and unknown without requests', () => {
  assert.equal(share5xx({ requests: 200, errors5xx: 1 }), 0.5);
  assert.equal(share5xx({ requests: 0, errors5xx: 0 }), null);
  assert.equal(share5xx(undefined), null);
});

test('p99 lies in the bucket that holds it', () => {
  const counts = (at: Readonly<Record<number, number>>) => Array.from({ length: 20 }, (_, i) => at[i] ?? 0);
  assert.equal(p99(counts({})), null);
  assert.equal(p99([]), null);
  assert.equal(p99(counts({ 3: 100 })), 5 + 5 * 0.99);
  assert.equal(p99(counts({ 0: 98, 7: 2 })), 100 + 150 * 0.5);
  assert.equal(p99(counts({ 0: 50, 19: 50 })), 3_600_000);
});

const intervals = fc.array(
  fc.record({
    ok: fc.nat(1000),
    bad: fc.nat(100),
    crashes: fc.nat(3),
    gapMs: fc.integer({ min: 1, max: 20_000 }),
  }),
  { maxLength: 30 },
);

/** Samples of an Envoy that may lose some of its flushes and start anew. */
const histories = fc
  .record({ intervals, lost: fc.array(fc.boolean(), { maxLength: 30 }), restartAt: fc.option(fc.nat(30)) })
  .map(({ intervals: list, lost, restartAt }) => {
    let at = 1000;
    let ok = 500;
    let bad = 5;
    const samples: MetricSample[] = [makeSample(at, { byClass: byClass(ok, bad) })];
    for (const [index, interval] of list.entries()) {
      at += interval.gapMs;
      if (index === restartAt) [ok, bad] = [0, 0];
      ok += interval.ok;
      bad += interval.bad;
      if (lost[index] !== true) samples.push(makeSample(at, { byClass: byClass(ok, bad) }));
    }
    const answered = list.reduce((sum, interval) => sum + interval.ok + interval.bad, 0);
    return { metrics: of(...samples), restarted: restartAt !== null && restartAt < list.length, answered };
  });

test('a window never holds more than was answered, and never less than nothing', () => {
  fc.assert(
    fc.property(histories, fc.nat(400_000), fc.nat(400_000), ({ metrics, restarted, answered }, from, to) => {
      const window = windowOf(metrics, from, to);
      if (window === undefined) return;
      assert.ok(window.from < window.to && window.to <= to);
      assert.ok(window.requests >= window.errors5xx && window.errors5xx >= 0);
      // A restart may hide behind lost flushes; it can add no more than what the counters had before.
      assert.ok(window.requests <= answered || restarted);
    }),
  );
});

test('windows side by side hold what one window over both holds', () => {
  fc.assert(
    fc.property(histories, fc.nat(200_000), ({ metrics }, cut) => {
      const whole = windowOf(metrics, 0, 1e9);
      const sum = sumWindows([windowOf(metrics, 0, cut), windowOf(metrics, cut, 1e9)]);
      // A cut before the first sample leaves nothing on its left.
      assert.deepEqual([sum?.requests, sum?.errors5xx], [whole?.requests, whole?.errors5xx]);
    }),
  );
});

test('samples of a window are in order and inside it, but for the one that it begins with', () => {
  fc.assert(
    fc.property(histories, fc.nat(200_000), fc.nat(200_000), ({ metrics }, from, to) => {
      const used = samplesOf(metrics, from, to);
      for (const { at } of used.slice(1)) assert.ok(at <= to && at > Math.min(from, to));
    }),
  );
});
