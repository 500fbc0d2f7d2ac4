import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { eventKey } from '../../src/store/record-kinds.ts';
import { trimEvents } from '../../src/store/trim-events.ts';

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
