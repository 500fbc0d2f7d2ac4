import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventFeed } from '../../src/api/event-feed.ts';
import { openEventStream } from '../../src/api/event-stream.ts';
import { type Clock, silentLog } from '../../src/model/ports.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { eventKey } from '../../src/store/record-kinds.ts';
import { until } from '../harness/wait.ts';

function setUp() {
  const store = createMemoryStore();
  const feed = new EventFeed(store, silentLog, 3);
  const timers = new Map<() => void, number>();
  const clock: Clock = {
    now: () => 0,
    after(delayMs, callback) {
      timers.set(callback, delayMs);
      return () => timers.delete(callback);
    },
  };
  const write = (at: number) => store.put('Event', eventKey(at, 'x'), { type: 'n', at, message: '' });
  return { store, feed, clock, timers, write };
}

test('a stream that its reader closes is no reader any more, and leaves no timer', async () => {
  const { store, feed, clock, timers } = setUp();
  const stream = await openEventStream(
    { store, feed, clock },
    { filter: {}, position: undefined, see: async items => items },
  );
  assert.equal(feed.readers, 1);
  const told = stream[Symbol.asyncIterator]();
  await told.next();
  await told.next();
  const waiting = told.next();
  await until(() => timers.size === 1, { what: 'it to wait for news' });
  stream.destroy();
  await waiting;
  await until(() => feed.readers === 0 && timers.size === 0, { what: 'the reader to be gone' });
  await feed.stop();
  await store.close();
});

test('a reader who was cut off and takes nothing for half a minute loses its connection', async () => {
  const { store, feed, clock, timers, write } = setUp();
  const stream = await openEventStream(
    { store, feed, clock },
    { filter: {}, position: undefined, see: async items => items },
  );
  for (let at = 1; at <= 6; at++) {
    await write(at);
    await new Promise(setImmediate);
  }
  const [callback] = await until(() => [...timers].find(([, delayMs]) => delayMs === 30_000), {
    what: 'the time to leave to run',
  });
  callback();
  await until(() => stream.destroyed && feed.readers === 0, { what: 'the end' });
  await feed.stop();
  await store.close();
});

test('who reads slowly is told nothing more of the history once its token is revoked', async () => {
  const { store, feed, clock, write } = setUp();
  for (let at = 1; at <= 350; at++) await write(at);
  let revoked = false;
  const stream = await openEventStream(
    { store, feed, clock },
    { filter: {}, position: { from: 0 }, see: async items => (revoked ? undefined : items) },
  );
  const texts: string[] = [];
  for await (const text of stream) {
    texts.push(String(text));
    if (String(text).includes('event: event')) revoked = true;
  }
  const told = texts.join('').split('event: event\n').length - 1;
  // What was made before it was revoked is on its way: a batch, and one that waits.
  assert.ok(told <= 200, `${told} of 350`);
  assert.match(texts.at(-1) ?? '', /^event: end\n.*"revoked"/s);
  await feed.stop();
  await store.close();
});

test('a history that cannot be read leaves no reader behind', async () => {
  const { store, feed, clock } = setUp();
  const broken = { ...store, list: () => Promise.reject(new Error('no')) } as unknown as typeof store;
  await assert.rejects(
    openEventStream(
      { store: broken, feed, clock },
      { filter: {}, position: undefined, see: async items => items },
    ),
  );
  assert.equal(feed.readers, 0);
  await feed.stop();
  await store.close();
});
