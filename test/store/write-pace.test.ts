import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { toWriteDelay } from '../../src/store/write-pace.ts';

const NEVER = { endedAt: 0, tookMs: 0 };

test('who waits has it written soon, and in proportion to what the last write took since that', () => {
  assert.equal(toWriteDelay(5000, NEVER, true), 2);
  assert.equal(toWriteDelay(5000, { endedAt: 5000, tookMs: 2 }, true), 48);
  assert.equal(toWriteDelay(5044, { endedAt: 5000, tookMs: 2 }, true), 4);
  assert.equal(toWriteDelay(5050, { endedAt: 5000, tookMs: 2 }, true), 2);
  assert.equal(toWriteDelay(5000, { endedAt: 5000, tookMs: 0 }, true), 15);
  assert.equal(toWriteDelay(5000, { endedAt: 5000, tookMs: 900 }, true), 100);
});

test('where nobody waits a slow disk is written to less often', () => {
  assert.equal(toWriteDelay(5000, { endedAt: 1000, tookMs: 3 }, false), 100);
  assert.equal(toWriteDelay(5000, { endedAt: 5000, tookMs: 25 }, false), 200);
  assert.equal(toWriteDelay(5000, { endedAt: 5000, tookMs: 900 }, false), 300);
  assert.equal(toWriteDelay(5000, NEVER, false, 5), 5);
});

test('wherever the clock was set to, all of it is written within bounds, and soonest where somebody waits', () => {
  const time = fc.integer({ min: 0, max: 2 ** 42 });
  fc.assert(
    fc.property(time, time, fc.integer({ min: -(10 ** 9), max: 10 ** 9 }), (now, endedAt, tookMs) => {
      const awaited = toWriteDelay(now, { endedAt, tookMs }, true);
      const other = toWriteDelay(now, { endedAt, tookMs }, false);
      return awaited >= 2 && awaited <= other && awaited <= 100 && other <= 300;
    }),
  );
});
