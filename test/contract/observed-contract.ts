import assert from 'node:assert/strict';
import { describe } from 'node:test';
import { toDecision } from '../../src/model/audit.ts';
import type { Change, Operation, Records, Store } from '../../src/store/store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import type { StoreUnderTest } from './store-contract.ts';
import { toStoreTest } from './with-store.ts';

type Verdict = Records['NodeVerdict'];

/** The part of the store's contract that is about the observed kinds. */
export function describeObservedContract(name: string, open: () => Promise<StoreUnderTest>): void {
  const it = toStoreTest(open);

  describe(`contract of observed kinds: ${name}`, () => {
    it('hands out one object for a record until it is written again', async store => {
      await store.put('NodeVerdict', 'a', verdict('1'));
      await store.put('NodeVerdict', 'b', verdict('1'));
      const watch = watchVerdicts(store);
      const first = await store.get('NodeVerdict', 'a');
      assert.deepEqual(first, { key: 'a', value: verdict('1'), revision: 1, createdRevision: 1 });
      const [listed, other] = (await store.list('NodeVerdict')).records;
      assert.equal(listed, first);
      assert.deepEqual(
        (await watch.next()).map(({ stored }) => stored),
        [first, other],
      );
      await store.put('NodeVerdict', 'a', verdict('2'));
      const [changed, same] = (await store.list('NodeVerdict')).records;
      assert.equal(same, other);
      assert.deepEqual(changed, { key: 'a', value: verdict('2'), revision: 3, createdRevision: 1 });
      assert.deepEqual(first?.value, verdict('1'), 'who has read it keeps what he has read');
      const [change] = await watch.next();
      assert.equal(change?.stored, changed);
      await watch.stop();
    });

    it('keeps them as any others when it is opened again', async (store, { reopen }) => {
      if (reopen === undefined) return;
      for (const key of ['a', 'b', 'gone', 'b\u0000\n"'])
        await store.put('NodeVerdict', key, verdict(`line\nof ${key}\u2028`));
      await store.delete('NodeVerdict', 'gone');
      await store.put('NodeVerdict', 'a', verdict('2'));
      const before = await store.list('NodeVerdict');
      assert.equal(before.records.length, 3);
      const again = await reopen();
      assert.deepEqual(await again.list('NodeVerdict'), before);
      const revision = await again.put('NodeVerdict', 'gone', verdict('3'), 'absent');
      assert.equal((await again.get('NodeVerdict', 'gone'))?.createdRevision, revision);
    });

    it('refuses a value that is not JSON', async store => {
      const circular: { self?: unknown } = {};
      circular.self = circular;
      for (const wrong of [undefined, circular, () => {}])
        await assert.rejects(
          store.put('NodeVerdict', 'a', wrong as unknown as Verdict),
          error => error instanceof StoreError && error.code === 'invalid-operation',
        );
      assert.deepEqual(await store.list('NodeVerdict'), { revision: 0, records: [] });
    });

    it('tells in the audit what became of them', async store => {
      const write = (next: Verdict | undefined): Operation[] => [
        next === undefined
          ? { op: 'delete', kind: 'NodeVerdict', key: 'a' }
          : { op: 'put', kind: 'NodeVerdict', key: 'a', value: next },
        {
          op: 'append',
          kind: 'AuditEntry',
          value: toDecision(1, { action: 'test.written', subject: 'a', text: 'text', behalf: undefined }),
        },
      ];
      for (const next of [verdict('1'), verdict('2'), undefined]) await store.transaction(write(next));
      const changes = (await store.list('AuditEntry')).records.flatMap(({ value }) => value.changes);
      const digests = changes.map(({ before }) => before);
      assert.deepEqual(
        [...digests.slice(1), null],
        changes.map(({ after }) => after),
      );
      assert.equal(new Set(digests).size, 3);
    });
  });
}

function verdict(process: string): Verdict {
  const since = { state: 'sent', since: 1 } as const;
  return { node: 'a', process, slot: 's', ...since, tried: null, accepted: null, refused: null };
}

function watchVerdicts(store: Store) {
  // A change that never comes ends the watch, and with it the test.
  const iterator = store.watch(['NodeVerdict'], AbortSignal.timeout(10_000))[Symbol.asyncIterator]();
  return {
    async next(): Promise<readonly Change[]> {
      const { value, done } = await iterator.next();
      assert.notEqual(done, true, 'the watch ended');
      return value as readonly Change[];
    },
    stop: async () => void (await iterator.return?.()),
  };
}
