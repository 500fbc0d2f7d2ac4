import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodePresence } from '../../src/model/node.ts';
import { silentLog } from '../../src/model/ports.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { FORGET_AFTER_MS, findReasonToForget, keepForgetting } from '../../src/xds/forget-nodes.ts';
import { FakeClock } from './model/fake-clock.ts';

const DAY_MS = 24 * 3_600_000;
const wish = (at: number) => ({ by: 'admin', message: null, at });

function presence(id: string, connected: boolean, since: number): NodePresence {
  const node = {
    ...{ id, cluster: '', namespace: 'default', labels: {}, zone: '', envoyVersion: '1.40.0', bootstrap: {} },
    capabilities: { filterChain: true, wasm: true, failReload: true },
  };
  return { node, process: 'p', connected, since, firstSeenAt: 1, slots: [], nacks: [] };
}

test('a node is forgotten when somebody asked while it was gone, or after a week; never while it is connected', () => {
  const gone = presence('a', false, 100);
  assert.equal(findReasonToForget(gone, undefined, 200), undefined);
  assert.equal(findReasonToForget(gone, wish(150), 200), 'asked');
  assert.equal(findReasonToForget(gone, wish(50), 200), undefined);
  assert.equal(findReasonToForget(gone, undefined, 100 + FORGET_AFTER_MS), 'away');
  assert.equal(findReasonToForget(presence('a', true, 100), wish(150), 100 + 9 * DAY_MS), undefined);
});

/** The shell on a fake clock; `forgotten` is what it told, in order. */
function setUp(...presences: NodePresence[]) {
  const clock = new FakeClock();
  const store = createMemoryStore();
  const known = new Map(presences.map(it => [it.node.id, it]));
  const forgotten: string[] = [];
  const start = () =>
    keepForgetting({
      ...{ store, clock, log: silentLog },
      presences: () => known.values(),
      forget: (id, reason) => {
        known.delete(id);
        forgotten.push(`${id} ${reason}`);
      },
    });
  const ask = (id: string) => store.put('NodePolicy', id, { node: id, forget: wish(clock.now()) });
  const settle = () => new Promise(resolve => setImmediate(resolve));
  return { clock, store, known, forgotten, start, ask, settle };
}

test('a wish is heard, also one from before our start; it means the time before it', async () => {
  const { clock, known, forgotten, start, ask, settle, store } = setUp(
    presence('a', false, 1),
    presence('b', true, 1),
  );
  await ask('a');
  const stop = start();
  await settle();
  assert.deepEqual(forgotten, ['a asked']);
  await ask('b');
  await settle();
  assert.deepEqual(forgotten, ['a asked']);
  clock.run(1000);
  // It goes after it was asked for: it was in use then.
  known.set('b', presence('b', false, clock.now()));
  await store.put('NodePolicy', 'c', { node: 'c' });
  await settle();
  assert.deepEqual(forgotten, ['a asked']);
  stop();
  await store.close();
});

test('a week passes', async () => {
  const { clock, forgotten, start, known, store } = setUp();
  known.set('a', presence('a', false, clock.now()));
  known.set('b', presence('b', false, clock.now() - 6 * DAY_MS));
  const stop = start();
  clock.run(DAY_MS + 3_600_000);
  assert.deepEqual(forgotten, ['b away']);
  clock.run(6 * DAY_MS);
  assert.deepEqual(forgotten, ['b away', 'a away']);
  stop();
  await store.close();
});
