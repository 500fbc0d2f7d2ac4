import assert from 'node:assert/strict';
import { test } from 'node:test';
import { random } from '../src/system.ts';

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
