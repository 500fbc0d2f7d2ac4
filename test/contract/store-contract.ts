import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { compareKeys } from '../../src/store/key-order.ts';
import type { Change, Operation, Records, Store } from '../../src/store/store.ts';
import { ConflictError, StoreError } from '../../src/store/store-error.ts';
import { describeAuditContract } from './audit-contract.ts';
import { describeObservedContract } from './observed-contract.ts';
import { toStoreTest, withStore } from './with-store.ts';

/** A store under test: `reopen` closes and opens it again on the same data; absent where nothing is kept. */
export interface StoreUnderTest {
  readonly store: Store;
  readonly reopen?: () => Promise<Store>;
  readonly dispose: () => Promise<void>;
}

type Value = Records['ModuleKey'];

/** A watch brings what it is to bring within this time. */
const DEADLINE_MS = 10_000;

/** The contract of src/store/store.ts; every engine runs it. */
export function describeStoreContract(name: string, open: () => Promise<StoreUnderTest>): void {
  describeAuditContract(name, open);
  describeObservedContract(name, open);
  const it = toStoreTest(open);

  describe(`store contract: ${name}`, () => {
    it('answers what was put, with its revisions', async store => {
      assert.equal(await store.get('ModuleKey', 'a'), undefined);
      const first = await store.put('ModuleKey', 'a', value('1'));
      const second = await store.put('ModuleKey', 'a', value('2'));
      assert.ok(second > first);
      const stored = { key: 'a', value: value('2'), revision: second, createdRevision: first };
      assert.deepEqual(await store.get('ModuleKey', 'a'), stored);
    });

    it('keeps kinds apart', async store => {
      await store.put('ModuleKey', 'a', value('1'));
      assert.equal(await store.get('Event', 'a'), undefined);
      assert.deepEqual((await store.list('Event')).records, []);
    });

    it('keeps the value as it was when put', async store => {
      const mutable = { hex: 'before' };
      await store.put('ModuleKey', 'a', mutable);
      mutable.hex = 'after';
      assert.deepEqual((await store.get('ModuleKey', 'a'))?.value, { hex: 'before' });
    });

    it('lists by prefix, in the order of UTF-8 bytes, as of one revision', async store => {
      const keys = ['b', 'a/2', 'a/10', 'a', 'a/', 'A', 'a/\u{1f600}', 'a/\uffff', 'a0', "a/it's %_\\"];
      for (const key of keys) await store.put('ModuleKey', key, value(key));
      const all = await store.list('ModuleKey');
      assert.deepEqual(
        all.records.map(record => record.key),
        [...keys].sort(compareKeys),
      );
      assert.equal(all.revision, keys.length);
      const some = await store.list('ModuleKey', 'a/');
      assert.deepEqual(
        some.records.map(record => record.key),
        ['a/', 'a/10', 'a/2', "a/it's %_\\", 'a/\uffff', 'a/\u{1f600}'],
      );
      assert.deepEqual((await store.list('ModuleKey', 'zz')).records, []);
    });

    it('deletes, and a key put again is new', async store => {
      await store.put('ModuleKey', 'a', value('1'));
      const deleted = await store.delete('ModuleKey', 'a');
      assert.equal(await store.get('ModuleKey', 'a'), undefined);
      assert.equal(await store.delete('ModuleKey', 'a'), deleted, 'nothing to delete: no new revision');
      const again = await store.put('ModuleKey', 'a', value('2'), 'absent');
      assert.ok(again > deleted);
      assert.equal((await store.get('ModuleKey', 'a'))?.createdRevision, again);
    });

    it('refuses a write whose expectation does not hold, with the current revision', async store => {
      const revision = await store.put('ModuleKey', 'a', value('1'), 'absent');
      await rejectsConflict(store.put('ModuleKey', 'a', value('2'), 'absent'), 0, revision);
      await rejectsConflict(store.put('ModuleKey', 'a', value('2'), revision + 1), 0, revision);
      await rejectsConflict(store.put('ModuleKey', 'b', value('2'), revision), 0, 'absent');
      await rejectsConflict(store.delete('ModuleKey', 'a', revision + 1), 0, revision);
      await rejectsConflict(store.delete('ModuleKey', 'b', revision), 0, 'absent');
      assert.equal((await store.list('ModuleKey')).revision, revision);
      await store.put('ModuleKey', 'a', value('3'), revision);
      assert.deepEqual((await store.get('ModuleKey', 'a'))?.value, value('3'));
    });

    it('gives one of two writers that expect the same revision a conflict', async store => {
      const revision = await store.put('ModuleKey', 'a', value('0'));
      const both = [1, 2].map(n => store.put('ModuleKey', 'a', value(`${n}`), revision));
      const states = (await Promise.allSettled(both)).map(({ status }) => status).sort();
      assert.deepEqual(states, ['fulfilled', 'rejected']);
    });

    it('writes a transaction whole, at one revision', async store => {
      await store.put('ModuleKey', 'gone', value('0'));
      const revision = await store.transaction([
        put('a', '1', 'absent'),
        { op: 'put', kind: 'Event', key: 'e', value: { type: 't', at: 1, message: 'm' } },
        { op: 'delete', kind: 'ModuleKey', key: 'gone' },
      ]);
      assert.equal((await store.get('ModuleKey', 'a'))?.revision, revision);
      assert.equal((await store.get('Event', 'e'))?.revision, revision);
      assert.equal(await store.get('ModuleKey', 'gone'), undefined);
    });

    it('writes nothing of a transaction that fails, and names the operation', async store => {
      const revision = await store.put('ModuleKey', 'b', value('0'));
      const failing: Operation[] = [
        put('a', '1'),
        { op: 'check', kind: 'ModuleKey', key: 'b', expected: 'absent' },
      ];
      const error = await rejectsConflict(store.transaction(failing), 1, revision);
      assert.deepEqual(error.operation, failing[1]);
      assert.equal(await store.get('ModuleKey', 'a'), undefined);
      assert.equal((await store.list('ModuleKey')).revision, revision);
    });

    it('makes no revision of a transaction that changes nothing', async store => {
      const revision = await store.put('ModuleKey', 'a', value('0'));
      assert.equal(await store.transaction([]), revision);
      const check: Operation = { op: 'check', kind: 'ModuleKey', key: 'a', expected: revision };
      assert.equal(await store.transaction([check]), revision);
    });

    it('refuses keys and transactions that not every engine can hold', async store => {
      for (const key of ['', '\ud800', 'x'.repeat(5000)])
        await rejectsCode(store.put('ModuleKey', key, value('1')), 'invalid-operation');
      await rejectsCode(store.transaction([put('a', '1'), put('a', '2')]), 'invalid-operation');
      await rejectsCode(store.put('ModuleKey', 'a', undefined as unknown as Value), 'invalid-operation');
    });

    it('watches: first all that exists, then changes', async store => {
      await store.put('ModuleKey', 'b', value('1'));
      await store.put('ModuleKey', 'a', value('2'));
      await store.put('Event', 'e', { type: 't', at: 1, message: 'm' });
      const watch = openWatch(store);
      assert.deepEqual((await watch.next()).map(summary), ['a=2 initial', 'b=1 initial']);
      await store.put('ModuleKey', 'c', value('3'));
      assert.deepEqual((await watch.next()).map(summary), ['c=3']);
      await store.put('Event', 'f', { type: 't', at: 1, message: 'm' });
      await store.delete('ModuleKey', 'a');
      assert.deepEqual((await watch.next()).map(summary), ['a gone']);
      await watch.stop();
    });

    it('begins a watch with an empty batch when nothing exists', async store => {
      const watch = openWatch(store);
      assert.deepEqual(await watch.next(), []);
      await watch.stop();
    });

    it('gives a slow watcher the newest value of each key only, and all of a transaction at once', async store => {
      const watch = openWatch(store);
      await watch.next();
      for (let n = 1; n <= 50; n += 1) await store.put('ModuleKey', 'a', value(`${n}`));
      await store.transaction([put('b', '1'), put('c', '1')]);
      assert.deepEqual((await watch.next()).map(summary).sort(), ['a=50', 'b=1', 'c=1']);
      await watch.stop();
    });

    it('ends a watch when its signal aborts, also while it waits', async store => {
      const watch = openWatch(store);
      await watch.next();
      const waiting = watch.iterator.next();
      watch.abort();
      assert.equal((await waiting).done, true);
      const late = store.watch(['ModuleKey'], AbortSignal.abort())[Symbol.asyncIterator]();
      assert.equal((await late.next()).done, true);
    });

    it('ends watches and refuses everything else once it is closed', async (store, { dispose }) => {
      const watch = openWatch(store);
      await watch.next();
      const waiting = watch.iterator.next();
      await store.close();
      assert.equal((await waiting).done, true);
      await rejectsCode(store.get('ModuleKey', 'a'), 'store-closed');
      await rejectsCode(store.put('ModuleKey', 'a', value('1')), 'store-closed');
      await rejectsCode(openWatch(store).next(), 'store-closed');
      await store.close();
      await dispose();
    });

    it('keeps what was answered, and its revisions, when it is opened again', async (store, { reopen }) => {
      if (reopen === undefined) return;
      await store.put('ModuleKey', 'a', value('1'));
      const revision = await store.put('ModuleKey', 'b', value('2'));
      const before = await store.list('ModuleKey');
      const deleted = await store.delete('ModuleKey', 'b');
      const again = await reopen();
      assert.deepEqual(await again.get('ModuleKey', 'a'), before.records[0]);
      assert.equal((await again.list('ModuleKey')).revision, deleted, 'a deletion counts, too');
      assert.ok((await again.put('ModuleKey', 'b', value('3'))) > revision + 1);
    });

    for (const kind of ['ModuleKey', 'NodePresence'] as const)
      test(`does what a plain map does, whatever the order of operations: ${kind}`, async () => {
        const property = fc.asyncProperty(fc.array(command, { maxLength: 40 }), commands =>
          runAgainstModel(kind, commands),
        );
        // No shrinking: a change that never comes costs its deadline each time.
        await fc.assert(property, { numRuns: 30, endOnFailure: true });
      });
  });

  async function runAgainstModel(kind: ModelKind, commands: readonly Command[]): Promise<void> {
    await withStore(open, async (store, { reopen }) => {
      const model = new Map<string, { value: Value; revision: number }>();
      const seen = new Map<string, string>();
      let revision = 0;
      let current = store;
      let watch = openWatch(current, kind);
      for (const step of commands) {
        if (step.type === 'take') await drainInto(seen, watch, current, kind);
        else if (step.type === 'reopen' && reopen !== undefined) {
          await watch.stop();
          current = await reopen();
          watch = openWatch(current, kind);
          seen.clear();
        } else if (step.type === 'write')
          revision = await applyBoth(current, model, kind, step.writes, revision);
      }
      const listing = await current.list(kind);
      assert.equal(listing.revision, revision);
      const expected = [...model].sort(([a], [b]) => compareKeys(a, b));
      assert.deepEqual(
        listing.records.map(({ key, value, revision }) => [key, { value, revision }]),
        expected,
      );
      await drainInto(seen, watch, current, kind);
      assert.deepEqual(
        [...seen].sort(([a], [b]) => compareKeys(a, b)),
        expected.map(([key, { value }]) => [key, value.hex]),
      );
      await watch.stop();
    });
  }
}

interface ModelWrite {
  readonly op: 'put' | 'delete';
  readonly key: string;
  readonly hex: string;
  readonly expect: 'none' | 'right' | 'wrong';
}

type Command = { type: 'write'; writes: ModelWrite[] } | { type: 'take' } | { type: 'reopen' };

const write: fc.Arbitrary<ModelWrite> = fc.record({
  op: fc.constantFrom('put' as const, 'put' as const, 'delete' as const),
  key: fc.constantFrom('a', 'a/b', 'é', '\u{1f600}', '\uffff', 'a\u0000b'),
  hex: fc.string({ unit: 'binary', maxLength: 8 }),
  expect: fc.constantFrom('none' as const, 'right' as const, 'right' as const, 'wrong' as const),
});

const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      type: fc.constant('write' as const),
      writes: fc.uniqueArray(write, { selector: ({ key }) => key, maxLength: 4 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('take' as const) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('reopen' as const) }) },
);

/** Of the observed one too the model puts what it puts of the other. */
type ModelKind = 'ModuleKey' | 'NodePresence';
type Model = Map<string, { value: Value; revision: number }>;

/** Runs one transaction on both; answers the store's revision after it. */
async function applyBoth(
  store: Store,
  model: Model,
  kind: ModelKind,
  writes: readonly ModelWrite[],
  before: number,
) {
  const operations = writes.map(({ op, key, hex, expect }): Operation => {
    const right = model.get(key)?.revision ?? ('absent' as const);
    const wrong = right === 'absent' ? 1 : right + 1;
    const expected = expect === 'none' ? {} : { expected: expect === 'right' ? right : wrong };
    return (
      op === 'put' ? { op, kind, key, value: value(hex), ...expected } : { op, kind, key, ...expected }
    ) as Operation;
  });
  const failing = writes.findIndex(({ expect }) => expect === 'wrong');
  if (failing >= 0) {
    const current = model.get(writes[failing]!.key)?.revision ?? 'absent';
    await rejectsConflict(store.transaction(operations), failing, current);
    return before;
  }
  const changes = writes.filter(({ op, key }) => op === 'put' || model.has(key));
  const revision = await store.transaction(operations);
  assert.equal(revision, before + (changes.length > 0 ? 1 : 0));
  for (const { op, key, hex } of writes) {
    if (op === 'put') model.set(key, { value: value(hex), revision });
    else model.delete(key);
  }
  return revision;
}

/** Writes a mark of another kind and reads the watch up to it. */
async function drainInto(
  seen: Map<string, string>,
  watch: OpenWatch,
  store: Store,
  kind: ModelKind,
): Promise<void> {
  // A change that the watch must deliver ends the reading: nothing waits for time.
  const { records } = await store.list(kind);
  const known = () => [...seen].map(([key, hex]) => `${key}=${hex}`).sort();
  const wanted = records.map(({ key, value }) => `${key}=${(value as Value).hex}`).sort();
  while (!watch.began || known().join('\n') !== wanted.join('\n'))
    for (const { key, stored } of await watch.next()) {
      if (stored === undefined) seen.delete(key);
      else seen.set(key, (stored.value as unknown as Value).hex);
    }
}

interface OpenWatch {
  readonly began: boolean;
  readonly iterator: AsyncIterator<readonly Change[]>;
  next(): Promise<readonly Change[]>;
  abort(): void;
  stop(): Promise<void>;
}

function openWatch(store: Store, kind: ModelKind = 'ModuleKey'): OpenWatch {
  const controller = new AbortController();
  // A change that never comes ends the watch, and with it the test.
  const signal = AbortSignal.any([controller.signal, AbortSignal.timeout(DEADLINE_MS)]);
  const iterator = store.watch([kind], signal)[Symbol.asyncIterator]();
  let began = false;
  return {
    iterator,
    get began() {
      return began;
    },
    next: async () => {
      const { value, done } = await iterator.next();
      assert.notEqual(done, true, 'the watch ended');
      began = true;
      return value as readonly Change[];
    },
    abort: () => controller.abort(),
    stop: async () => {
      controller.abort();
      await iterator.return?.();
    },
  };
}

function value(hex: string): Value {
  return { hex };
}

function put(key: string, hex: string, expected?: 'absent'): Operation {
  return { op: 'put', kind: 'ModuleKey', key, value: value(hex), ...(expected ? { expected } : {}) };
}

function summary({ key, stored, initial }: Change): string {
  if (stored === undefined) return `${key} gone`;
  return `${key}=${(stored.value as Value).hex}${initial ? ' initial' : ''}`;
}

async function rejectsCode(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, error => error instanceof StoreError && error.code === code);
}

async function rejectsConflict(promise: Promise<unknown>, index: number, current: number | 'absent') {
  const error = await promise.then(
    () => assert.fail('it was written'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ConflictError, String(error));
  assert.equal(error.code, 'conflict');
  assert.deepEqual([error.index, error.current], [index, current]);
  return error;
}
