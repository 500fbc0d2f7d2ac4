import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Flush, newFlush } from '../../../src/xds/metrics/decode-metrics.ts';
import { mergeFlush, toSample } from '../../../src/xds/metrics/to-sample.ts';

const flush = (more: Partial<Flush> = {}): Flush => ({ ...newFlush(), takenAt: 1, ...more });
const latency = (...counts: number[]): number[] => newFlush().latency.map((_, i) => counts[i] ?? 0);

test('latencies add up, because Envoy sends those of an interval; counters are its own', () => {
  const first = toSample(flush({ latency: latency(3, 1), byClass: [0, 4, 0, 0, 0] }), 10, undefined);
  const second = toSample(flush({ latency: latency(0, 2), byClass: [0, 6, 0, 0, 0] }), 20, first);
  assert.deepEqual(second.latency, latency(3, 3));
  assert.deepEqual(second.byClass, [0, 6, 0, 0, 0]);
  assert.equal(second.at, 20);
});

test('what did not move is shared with the sample before', () => {
  const say = (): Flush =>
    flush({
      reloads: new Map([['default/a', 1]]),
      ecdsReload: new Map([['p', 2]]),
      custom: new Map([['m', 1]]),
    });
  const first = toSample(say(), 10, undefined);
  const second = toSample(say(), 20, first);
  for (const part of ['byClass', 'latency', 'reloads', 'ecds', 'custom'] as const)
    assert.equal(second[part], first[part], part);
  const third = toSample(flush({ reloads: new Map([['default/b', 1]]) }), 30, second);
  assert.deepEqual([third.reloads, third.ecds], [{ 'default/b': 1 }, {}]);
});

test('a place has both its counts', () => {
  const { ecds } = toSample(
    flush({ ecdsReload: new Map([['p', 2]]), ecdsFail: new Map([['q', 1]]) }),
    1,
    undefined,
  );
  assert.deepEqual(ecds, { p: { reload: 2, fail: 0 }, q: { reload: 0, fail: 1 } });
});

test('of too many own metrics those stay that were there before', () => {
  const names = (from: number, count: number): Map<string, number> =>
    new Map(Array.from({ length: count }, (_, i) => [`m${String(from + i).padStart(3, '0')}`, i]));
  const first = toSample(flush({ custom: names(100, 60) }), 1, undefined);
  const second = toSample(flush({ custom: new Map([...names(0, 50), ...names(100, 60)]) }), 2, first);
  assert.equal(Object.keys(second.custom).length, 64);
  assert.ok(Object.keys(first.custom).every(name => name in second.custom));
});

test('the pieces of one flush make one', () => {
  const whole = mergeFlush(
    flush({ byClass: [0, 1, 0, 0, 0], vmCreated: 5, latency: latency(1), requestsActive: 1 }),
    flush({ byClass: [0, 2, 0, 0, 1], vmActive: 4, latency: latency(2), custom: new Map([['m', 1]]) }),
  );
  assert.deepEqual(
    whole,
    flush({
      byClass: [0, 3, 0, 0, 1],
      vmCreated: 5,
      vmActive: 4,
      latency: latency(3),
      requestsActive: 1,
      custom: new Map([['m', 1]]),
    }),
  );
});
