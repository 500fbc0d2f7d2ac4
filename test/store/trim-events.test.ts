import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../src/model/ports.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { eventKey } from '../../src/store/record-kinds.ts';
import type { Store } from '../../src/store/store.ts';
import { KEPT_EVENTS, keepEventsTrimmed, TRIM_EVERY_MS, trimEvents } from '../../src/store/trim-events.ts';
import { FakeClock } from './fake-clock.ts';

test('the newest events stay, older ones go, and nothing else is touched', async () => {
  const store = createMemoryStore();
  for (let at = 1; at <= 250; at++)
    await store.put('Event', eventKey(at, 'aa'), { type: 'node.connected', at, message: `${at}` });
  await store.put('ModuleKey', 'current', { hex: 'ab' });

  assert.equal(await trimEvents(store, 20), 230);

  const { records } = await store.list('Event');
  assert.deepEqual(
    records.map(record => record.value.at),
    Array.from({ length: 20 }, (_, i) => 231 + i),
  );
  assert.equal(await trimEvents(store, 20), 0);
  assert.notEqual(await store.get('ModuleKey', 'current'), undefined);
  await store.close();
});

test('what was written last stays, also where the clock was set back before it', async () => {
  const store = createMemoryStore();
  for (const at of [1001, 1002, 1003, 501, 502])
    await store.put('Event', eventKey(at, 'aa'), { type: 'node.connected', at, message: `${at}` });
  assert.equal(await trimEvents(store, 3), 2);
  const { records } = await store.list('Event');
  assert.deepEqual(
    records.map(record => record.value.at),
    [501, 502, 1003],
  );
  await store.close();
});

/** As nodes that come and go make them. */
async function addEvents(store: Store, count: number): Promise<void> {
  const events = Array.from({ length: count }, (_, at) => ({ type: 'node.connected', at, message: `${at}` }));
  await store.transaction(
    events.map(value => ({ op: 'put', kind: 'Event', key: eventKey(value.at, 'aa'), value }) as const),
  );
}

test('what thousands of nodes left in half a minute goes in few commits, with a pause after each', async () => {
  const store = createMemoryStore();
  await addEvents(store, 2520);
  const before = (await store.list('Event')).revision;
  const left: number[] = [];
  const pause = async () => {
    left.push((await store.list('Event')).records.length - 20);
    return true;
  };
  assert.equal(await trimEvents(store, 20, pause), 2500);
  const { revision, records } = await store.list('Event');
  assert.deepEqual([left, records.length, revision - before], [[1500, 500], 20, 3]);
  await store.close();
});

test('events are trimmed now and every half minute; a stop does not wait for the rest', async () => {
  const store = createMemoryStore();
  const clock = new FakeClock();
  const stop = keepEventsTrimmed(store, clock, silentLog);
  const count = async () => (await store.list('Event')).records.length;
  while (clock.pending === 0) await count();
  await addEvents(store, KEPT_EVENTS + 2500);
  clock.advance(TRIM_EVERY_MS);
  while ((await count()) > KEPT_EVENTS + 1500 || clock.pending === 0) await count();
  await stop();
  assert.deepEqual([await count(), clock.pending], [KEPT_EVENTS + 1500, 0]);
  await store.close();
});
