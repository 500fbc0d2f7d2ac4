import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FLOOD_MS, RequestPace } from '../../../src/xds/limits/request-pace.ts';

const limits = { 'requests-per-second': 10 };

test('ten seconds of requests pass at once, the next ones wait', () => {
  const pace = new RequestPace(limits);
  for (let i = 0; i < 100; i++) assert.deepEqual(pace.arrive(0, 100), { waitMs: 0, isFirstBehind: false });
  assert.deepEqual(pace.arrive(0, 100), { waitMs: 100, isFirstBehind: true });
  assert.deepEqual(pace.arrive(100, 100), { waitMs: 100, isFirstBehind: false });
});

test('a large message costs as much as many small ones', () => {
  const pace = new RequestPace(limits);
  assert.equal(pace.arrive(0, 200 * 256 * 1024).waitMs, 0);
  assert.equal(pace.arrive(0, 100).waitMs, 10_200);
});

test('a flood without an end ends the stream; with a pause in it, it does not', () => {
  const flood = (pauseAt: number): number => {
    const pace = new RequestPace(limits);
    let now = 0;
    while (now < 1.5 * FLOOD_MS) {
      now += pace.arrive(now, 100).waitMs;
      if (now >= pauseAt && now < pauseAt + 1000) now += 6000;
    }
    return now;
  };
  assert.throws(() => flood(Number.POSITIVE_INFINITY), {
    code: 'requests-too-fast',
    limit: 'requests-per-second',
  });
  assert.ok(flood(FLOOD_MS / 2 + 10_000) >= FLOOD_MS);
});

test('a flood ends the stream also where its requests come a little late each time', () => {
  const pace = new RequestPace(limits);
  const flood = (): void => {
    for (let now = 0; now < 3 * FLOOD_MS; ) {
      const { waitMs } = pace.arrive(now, 100);
      // Every tenth time the loop was busy for as long as two requests take.
      now += waitMs + (Math.floor(now / 100) % 10 === 0 ? 200 : 0);
    }
  };
  assert.throws(flood, { code: 'requests-too-fast' });
});
