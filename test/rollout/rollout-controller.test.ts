import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Assignment } from '../../src/model/assignment.ts';
import { silentLog } from '../../src/model/ports.ts';
import { startRolloutController } from '../../src/rollout/rollout-controller.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { revisionKey, verdictKey } from '../../src/store/record-kinds.ts';
import type { Operation, Store } from '../../src/store/store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { FakeClock } from '../store/fake-clock.ts';
import {
  FORMAT,
  makeAssignment,
  makePresence,
  makeReady,
  makeRevision,
  makeSpec,
  makeVerdict,
  PLUGIN,
} from './records.ts';

const DEADLINE_MS = 10_000;

test('what the store holds at the start is decided before the start is over', async () => {
  await withController(
    async ({ store }) => {
      const { value } = (await store.get('Assignment', PLUGIN))!;
      assert.equal(value.revision, 1);
      assert.equal(await store.get('Assignment', 'default/gone'), undefined);
      assert.deepEqual(await eventTypes(store), ['rollout.assigned', 'rollout.ended']);
    },
    async store => {
      await applyRevision(store, 1);
      await store.put('Assignment', 'default/gone', makeAssignment({ plugin: 'default/gone' }));
    },
  );
});

test('a revision is assigned, proven good, replaced, refused and taken back', async () => {
  await withController(async ({ store, clock }) => {
    await store.put('NodePresence', 'edge-1', makePresence());
    await applyRevision(store, 1);
    await until(store, ({ revision }) => revision === 1);
    await say(store, { tried: 1, accepted: 1 });
    await until(store, ({ good }) => good === 1);
    clock.advance(10);
    await applyRevision(store, 2);
    await until(store, ({ revision, good }) => revision === 2 && good === 1);
    clock.advance(10);
    await say(store, {
      tried: 2,
      accepted: 1,
      state: 'refused',
      refused: { revision: 2, at: clock.now() },
    });
    const { refused } = await until(store, ({ revision }) => revision === 1);
    assert.deepEqual([refused?.revision, refused?.node], [2, 'edge-1']);
    await applyRevision(store, 3);
    await until(store, ({ revision }) => revision === 3);
    assert.deepEqual(await eventTypes(store), [
      'rollout.assigned',
      'rollout.good',
      'rollout.assigned',
      'rollout.back',
      'rollout.assigned',
    ]);
  });
});

test('a refused revision is not assigned again by a restart or by applying it again', async () => {
  const store = createMemoryStore();
  const clock = new FakeClock();
  const options = { store, clock, log: silentLog, format: FORMAT };
  const first = await startRolloutController(options);
  await applyRevision(store, 1);
  await until(store, ({ revision }) => revision === 1);
  await say(store, { tried: 1, state: 'refused', refused: { revision: 1, at: clock.now() } });
  await until(store, ({ revision }) => revision === null);
  await first.stop();
  clock.advance(1000);
  const before = await store.get('Assignment', PLUGIN);
  const second = await startRolloutController(options);
  await applyRevision(store, 1);
  await applyOther(store);
  assert.deepEqual(await store.get('Assignment', PLUGIN), before);
  await second.stop();
  await store.close();
});

test('a node that leaves is not waited for any more', async () => {
  await withController(async ({ store }) => {
    for (const id of ['edge-1', 'edge-2']) await store.put('NodePresence', id, makePresence(id));
    await applyRevision(store, 1);
    await until(store, ({ revision }) => revision === 1);
    await say(store, { tried: 1, accepted: 1 });
    await say(store, { node: 'edge-2', tried: 1, state: 'sent' });
    await applyOther(store);
    assert.equal((await store.get('Assignment', PLUGIN))?.value.good, null);
    await store.put('NodePresence', 'edge-2', makePresence('edge-2', { connected: false }));
    await until(store, ({ good }) => good === 1);
  });
});

test('a deleted plugin loses its assignment', async () => {
  await withController(async ({ store }) => {
    await applyRevision(store, 1);
    await until(store, ({ revision }) => revision === 1);
    const gone = nextChange(store, stored => stored === undefined);
    await store.delete('PluginSpec', PLUGIN);
    await gone;
  });
});

test('a conflict is decided again on what the store holds then', async () => {
  const intruder = makeAssignment({ revision: 5, good: 5, since: 1 });
  await withController(
    async ({ store, clock, faults }) => {
      faults.before = async () => {
        await store.put('Assignment', PLUGIN, intruder);
      };
      await applyRevision(store, 1);
      const { good } = await until(store, ({ revision }) => revision === 1);
      assert.equal(good, 5);
      assert.equal((await eventTypes(store)).length, 1, 'the try that failed left no event');
      assert.equal(clock.pending, 0, 'at once, not later');
    },
    async () => {},
  );
});

test('a write that fails is tried again later; other plugins do not wait for it', async () => {
  await withController(async ({ store, clock, faults }) => {
    faults.failing = PLUGIN;
    await applyRevision(store, 1);
    await applyOther(store);
    assert.equal(await store.get('Assignment', PLUGIN), undefined);
    assert.equal(clock.pending, 1);
    faults.failing = undefined;
    clock.advance(5000);
    await until(store, ({ revision }) => revision === 1);
  });
});

test('after stop nothing is written and no timer is left', async () => {
  const { store, clock, faults, controller, close } = await setUp();
  faults.failing = PLUGIN;
  await applyRevision(store, 1);
  await applyOther(store);
  await controller.stop();
  assert.equal(clock.pending, 0);
  faults.failing = undefined;
  await applyRevision(store, 2);
  assert.equal(await store.get('Assignment', PLUGIN), undefined);
  await controller.stop();
  await close();
});

test('a store that cannot be read is an error of the start', async () => {
  const store = createMemoryStore();
  await store.close();
  const options = { store, clock: new FakeClock(), log: silentLog, format: FORMAT };
  await assert.rejects(startRolloutController(options), { code: 'store-closed' });
});

/** As the api and the module stage would: the document, its revision and the progress. */
async function applyRevision(store: Store, number: number, name = 'auth'): Promise<void> {
  const plugin = `default/${name}`;
  const specRevision = await store.put('PluginSpec', plugin, makeSpec(name));
  await store.transaction([
    {
      op: 'put',
      kind: 'Revision',
      key: revisionKey(plugin, number),
      value: makeRevision(number, plugin),
    },
    {
      op: 'put',
      kind: 'ModuleProgress',
      key: plugin,
      value: makeReady(number, specRevision, plugin),
    },
  ]);
}

let others = 0;

/** Another plugin, and wait for its assignment: everything put before was decided by then. */
async function applyOther(store: Store): Promise<void> {
  others += 1;
  const name = `other-${others}`;
  await applyRevision(store, 1, name);
  await until(store, ({ revision }) => revision === 1, `default/${name}`);
}

async function say(store: Store, fields: Parameters<typeof makeVerdict>[0]): Promise<void> {
  const verdict = makeVerdict(fields);
  await store.put('NodeVerdict', verdictKey(verdict.node, verdict.slot), verdict);
}

async function until(store: Store, holds: (assignment: Assignment) => boolean, plugin = PLUGIN) {
  const found = await nextChange(store, value => value !== undefined && holds(value), plugin);
  return found!;
}

/** Resolves with the assignment once it is as wanted, now or later. */
async function nextChange(
  store: Store,
  holds: (assignment: Assignment | undefined) => boolean,
  plugin = PLUGIN,
): Promise<Assignment | undefined> {
  for await (const batch of store.watch(['Assignment'], AbortSignal.timeout(DEADLINE_MS)))
    for (const change of batch) {
      if (change.kind === 'Assignment' && change.key === plugin && holds(change.stored?.value))
        return change.stored?.value;
    }
  return assert.fail('the assignment did not become what it is to be');
}

async function eventTypes(store: Store): Promise<string[]> {
  return (await store.list('Event')).records.map(({ value }) => value.type);
}

interface Faults {
  /** Runs once, before the next transaction of the controller. */
  before?: (() => Promise<void>) | undefined;
  /** Transactions that write this plugin's assignment fail. */
  failing?: string | undefined;
}

async function setUp(prepare: (store: Store) => Promise<void> = async () => {}) {
  const store = createMemoryStore();
  await prepare(store);
  const clock = new FakeClock();
  const faults: Faults = {};
  const faulty: Store = Object.create(store, {});
  Object.assign(faulty, {
    get: store.get.bind(store),
    watch: store.watch.bind(store),
    transaction: async (operations: readonly Operation[]) => {
      const { before } = faults;
      faults.before = undefined;
      await before?.();
      if (operations.some(({ key }) => key === faults.failing)) throw new StoreError('store-full', 'full');
      return store.transaction(operations);
    },
  });
  const controller = await startRolloutController({ store: faulty, clock, log: silentLog, format: FORMAT });
  const close = async () => {
    await controller.stop();
    await store.close();
  };
  return { store, clock, faults, controller, close };
}

async function withController(
  run: (parts: Awaited<ReturnType<typeof setUp>>) => Promise<void>,
  prepare?: (store: Store) => Promise<void>,
): Promise<void> {
  const parts = await setUp(prepare);
  try {
    await run(parts);
  } finally {
    await parts.close();
  }
}
