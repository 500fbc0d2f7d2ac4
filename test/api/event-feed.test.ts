import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EventFeed } from '../../src/api/event-feed.ts';
import { silentLog } from '../../src/model/ports.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { eventKey } from '../../src/store/record-kinds.ts';
import { until } from '../harness/wait.ts';

async function setUp(maxWaiting?: number) {
  const store = createMemoryStore();
  const feed = new EventFeed(store, silentLog, maxWaiting);
  let count = 0;
  const write = (type: string, plugin?: string) =>
    store.put('Event', eventKey(++count, 'aa'), {
      type,
      at: count,
      message: type,
      ...(plugin === undefined ? {} : { plugin }),
    });
  return { store, feed, write };
}

test('a reader is offered what is committed after it came, and what its filter lets pass', async () => {
  const { store, feed, write } = await setUp();
  await write('old');
  const all = await feed.subscribe({});
  const some = await feed.subscribe({ type: 'plugin.', plugin: 'default/auth' });
  await write('plugin.refused', 'default/auth');
  await write('plugin.refused', 'default/other');
  const last = await write('node.connected');
  await until(() => all.seen === last && some.seen === last, { what: 'the watch to tell' });
  assert.deepEqual(
    all.take().map(({ view }) => view.type),
    ['plugin.refused', 'plugin.refused', 'node.connected'],
  );
  assert.deepEqual(
    some.take().map(({ view }) => view.plugin),
    ['default/auth'],
  );
  feed.unsubscribe(some);
  assert.deepEqual([feed.readers, some.ended, all.ended], [1, 'left', undefined]);
  await feed.stop();
  assert.equal(all.ended, 'stopping');
  await store.close();
});

test('a reader who lets too much wait is cut off, keeps what waited, and others go on', async () => {
  const { store, feed, write } = await setUp(2);
  const slow = await feed.subscribe({});
  let told = 0;
  slow.whenSlow(() => {
    told++;
  });
  const other = await feed.subscribe({ type: 'nothing' });
  for (let i = 0; i < 5; i++) {
    const revision = await write(`n.${i}`);
    await until(() => other.seen === revision, { what: 'the watch to tell' });
  }
  assert.deepEqual([slow.ended, told, other.ended], ['slow', 1, undefined]);
  assert.deepEqual(
    slow.take().map(({ view }) => view.type),
    ['n.0', 'n.1'],
  );
  await feed.stop();
  await store.close();
});

test('when the store closes readers are told so, and so is whoever comes next', async () => {
  const { store, feed, write } = await setUp();
  const reader = await feed.subscribe({});
  await write('a');
  await store.close();
  await until(() => reader.ended !== undefined, { what: 'the end' });
  assert.equal(reader.ended, 'failed');
  assert.equal((await feed.subscribe({})).ended, 'failed');
  await feed.stop();
});
