import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import { clock, random } from '../src/system.ts';

test('what is drawn at random is as long as was asked for, and never the same', () => {
  const drawn = Array.from({ length: 5000 }, () => random(8));
  for (const hex of drawn) assert.match(hex, /^[0-9a-f]{16}$/);
  assert.equal(new Set(drawn).size, drawn.length);
});

test('draws of different lengths share no byte', () => {
  const lengths = [1, 4, 8191, 8192, 32, 8193, 16];
  const drawn = lengths.map(bytes => random(bytes));
  assert.deepEqual(
    drawn.map(hex => hex.length),
    lengths.map(bytes => 2 * bytes),
  );
  // Eight bytes that come twice are no chance.
  const windows = drawn.flatMap(hex => hex.match(/.{16}/g) ?? []);
  assert.equal(new Set(windows).size, windows.length);
});

test('a wait that is longer than a timer can hold is waited for in parts, and can be ended in each', t => {
  const timers: { readonly delayMs: number; readonly fire: () => void }[] = [];
  const set = mock.method(globalThis, 'setTimeout', (fire: () => void, delayMs: number) => {
    timers.push({ delayMs, fire });
    return timers.length;
  });
  const cleared: unknown[] = [];
  const clear = mock.method(globalThis, 'clearTimeout', (timer: unknown) => cleared.push(timer));
  t.after(() => [set, clear].map(({ mock }) => mock.restore()));
  const monthMs = 30 * 24 * 3_600_000;
  let fired = 0;
  const cancel = clock.after(monthMs, () => fired++);
  timers[0]?.fire();
  assert.deepEqual([fired, timers.length], [0, 2]);
  assert.ok(timers.every(({ delayMs }) => delayMs < 2 ** 31));
  assert.equal(
    timers.reduce((sum, { delayMs }) => sum + delayMs, 0),
    monthMs,
  );
  cancel();
  assert.deepEqual(cleared, [2]);
  timers[1]?.fire();
  assert.equal(fired, 1);
});
