import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TrialQueue } from '../../../src/module/trial/trial-queue.ts';

const never = new AbortController().signal;

test('no more jobs run at once than there are places, in the order in which they came', async () => {
  const queue = new TrialQueue(2, 10);
  const order: number[] = [];
  let running = 0;
  let most = 0;
  const job = (n: number) => async () => {
    order.push(n);
    most = Math.max(most, ++running);
    await new Promise(resolve => setImmediate(resolve));
    running--;
  };
  await Promise.all([1, 2, 3, 4, 5].map(n => queue.run(job(n), never)));
  assert.deepEqual(order, [1, 2, 3, 4, 5]);
  assert.equal(most, 2);
});

test('it is full when every place is taken and all who may wait do', async () => {
  const queue = new TrialQueue(1, 1);
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = queue.run(() => promise, never);
  assert.equal(queue.isFull, false);
  const second = queue.run(async () => {}, never);
  assert.equal(queue.isFull, true);
  resolve();
  await Promise.all([first, second]);
  assert.equal(queue.isFull, false);
});

test('who waits may give up, and the next one follows; a job that fails gives its place back', async () => {
  const queue = new TrialQueue(1, 5);
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = queue.run(() => promise, never);
  const leaving = new AbortController();
  const left = queue.run(async () => assert.fail('it left'), leaving.signal);
  const failing = queue.run(() => Promise.reject(new Error('no')), never);
  const last = queue.run(async () => 'last', never);
  leaving.abort(new Error('left'));
  await assert.rejects(left, /left/);
  resolve();
  await first;
  await assert.rejects(failing, /no/);
  assert.equal(await last, 'last');
  await assert.rejects(
    queue.run(async () => {}, AbortSignal.abort(new Error('too late'))),
    /too late/,
  );
});
