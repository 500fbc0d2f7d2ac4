import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Pace } from '../../../src/xds/limits/pace.ts';

test('a burst passes at once, then one in each interval', () => {
  const pace = new Pace(10, 3);
  for (let i = 0; i < 3; i++) {
    assert.equal(pace.waitOf(1000), 0);
    pace.take(1000);
  }
  assert.equal(pace.waitOf(1000), 100);
  assert.equal(pace.waitOf(1099), 1);
  assert.equal(pace.waitOf(1100), 0);
});

test('a pause gives back the burst, and no more than that', () => {
  const pace = new Pace(10, 3);
  pace.take(0, 3);
  for (let i = 0; i < 3; i++) {
    assert.equal(pace.waitOf(60_000), 0);
    pace.take(60_000);
  }
  assert.equal(pace.waitOf(60_000), 100);
});

test('what costs more than the burst passes after a pause, and the next ones wait for it', () => {
  const pace = new Pace(10, 3);
  assert.equal(pace.waitOf(0), 0);
  pace.take(0, 13);
  assert.equal(pace.waitOf(0), 1100);
});

test('in any order of arrivals no more pass than rate and burst allow', () => {
  const arrivals = fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 });
  fc.assert(
    fc.property(
      arrivals,
      fc.integer({ min: 1, max: 50 }),
      fc.integer({ min: 1, max: 20 }),
      (gaps, rate, burst) => {
        const pace = new Pace(rate, burst);
        let now = 0;
        const passed: number[] = [];
        for (const gap of gaps) {
          now += gap;
          if (pace.waitOf(now) > 0) continue;
          pace.take(now);
          passed.push(now);
        }
        for (let i = 0; i + burst < passed.length; i++) {
          const took = (passed[i + burst] ?? 0) - (passed[i] ?? 0);
          assert.ok(took >= 1000 / rate - 1e-6);
        }
        assert.ok(passed.length <= burst + Math.floor((now * rate) / 1000 + 1e-6));
      },
    ),
  );
});
