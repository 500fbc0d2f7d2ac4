import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { SendTurns } from '../../src/module/send-turns.ts';

test('pieces are written in the order in which they are ready, some in each turn of the event loop', async () => {
  const turns = new SendTurns();
  const written: number[] = [];
  for (let piece = 0; piece < 100; piece++) void turns.take().then(() => written.push(piece));
  const counts: number[] = [];
  for (let before = 0; before < 100 && counts.length < 100; before = written.length) {
    await turn();
    counts.push(written.length - before);
  }
  assert.deepEqual(
    written,
    Array.from({ length: 100 }, (_, piece) => piece),
  );
  const [first = 0] = counts;
  assert.ok(first < 50 && Math.max(...counts.slice(1)) <= first, counts.join(' '));
});

test('after a pause a piece does not wait', async () => {
  const turns = new SendTurns();
  for (let piece = 0; piece < 40; piece++) void turns.take();
  for (let i = 0; i < 10; i++) await turn();
  let isWritten = false;
  void turns.take().then(() => (isWritten = true));
  await Promise.resolve();
  assert.equal(isWritten, true);
});
