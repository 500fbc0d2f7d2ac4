import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentMeter } from '../../src/model/meter.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { meterStore } from '../../src/store/metered-store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { describeStoreContract } from '../contract/store-contract.ts';

describeStoreContract('metered', async () => {
  const { store } = meterStore(createMemoryStore(), silentMeter);
  return { store, dispose: () => store.close() };
});

function setUp() {
  let now = 0;
  const wrote: number[] = [];
  const failed: string[] = [];
  const inner = createMemoryStore();
  const meter = {
    wrote: (seconds: number) => wrote.push(seconds),
    writeFailed: (code: string) => failed.push(code),
    start: () => {
      const began = now;
      return () => now - began;
    },
  };
  const pass = (seconds: number): void => {
    now += seconds;
  };
  return { ...meterStore(inner, meter), inner, wrote, failed, pass };
}

const EVENT = { type: 'x', at: 1, message: '' } as const;

test('a write that is durable is timed; one that must not be made is neither a write nor a fault', async () => {
  const { store, wrote, failed } = setUp();
  await store.put('Event', 'a', EVENT);
  await store.transaction([{ op: 'delete', kind: 'Event', key: 'a' }]);
  await assert.rejects(store.put('Event', 'b', EVENT, 99), { code: 'conflict' });
  assert.deepEqual([wrote.length, failed], [2, []]);
});

test('a fault of the store is counted by its code, and thrown as it is', async () => {
  const { store, inner, failed, wrote } = setUp();
  const full = new StoreError('store-full', 'no space');
  inner.transaction = async () => {
    throw full;
  };
  await assert.rejects(store.transaction([]), error => error === full);
  assert.deepEqual([failed, wrote], [['store-full'], []]);
});

test('the lag is what the oldest change has waited for the slowest reader', async () => {
  const { store, readWatchLag, pass } = setUp();
  assert.equal(readWatchLag(), undefined, 'nobody watches');
  const ends = new AbortController();
  const quick = store.watch(['Event'], ends.signal)[Symbol.asyncIterator]();
  const slow = store.watch(['Event', 'Freeze'], ends.signal)[Symbol.asyncIterator]();
  const other = store.watch(['Quarantine'], ends.signal)[Symbol.asyncIterator]();
  for (const reader of [quick, slow, other]) assert.deepEqual((await reader.next()).value, []);
  assert.equal(readWatchLag(), 0);
  await store.put('Event', 'a', EVENT);
  pass(2);
  await store.put('Event', 'b', EVENT);
  pass(1);
  assert.equal(readWatchLag(), 3);
  assert.equal(((await quick.next()).value as unknown[]).length, 2);
  assert.equal(readWatchLag(), 3, 'the slow one has not asked');
  assert.equal(((await slow.next()).value as unknown[]).length, 2);
  assert.equal(readWatchLag(), 0);
  ends.abort();
  for (const reader of [quick, slow, other]) assert.equal((await reader.next()).done, true);
  assert.equal(readWatchLag(), undefined);
});
