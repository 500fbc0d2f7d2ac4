import assert from 'node:assert/strict';
import { describe } from 'node:test';
import type { AuditDraft } from '../../src/model/audit.ts';
import { CHAIN_START, checkEnd, followChain, isBroken } from '../../src/model/audit-chain.ts';
import { AUDIT_HEAD_KEY, auditKey } from '../../src/store/record-kinds.ts';
import type { Operation, Store } from '../../src/store/store.ts';
import { ConflictError, StoreError } from '../../src/store/store-error.ts';
import type { StoreUnderTest } from './store-contract.ts';
import { toStoreTest } from './with-store.ts';

/** The part of the store's contract that is about the audit. */
export function describeAuditContract(name: string, open: () => Promise<StoreUnderTest>): void {
  const it = toStoreTest(open);

  describe(`audit contract: ${name}`, () => {
    it('appends to the audit in the transaction of the change: number, chain, before and after', async store => {
      const first = await store.transaction([put('a', '1'), append('one')]);
      const second = await store.transaction([put('a', '2'), append('two'), append('three')]);
      await store.transaction([append('four')]);
      const { records } = await store.list('AuditEntry');
      const entries = records.map(({ value }) => value);
      assert.deepEqual(
        records.map(({ key, value }) => [key, value.number, value.text]),
        ['one', 'two', 'three', 'four'].map((text, i) => [auditKey(i + 1), i + 1, text]),
      );
      assert.deepEqual(
        entries.map(({ revision }) => revision),
        [first, second, second, second + 1],
      );
      const [one, two, ...rest] = entries.map(({ changes }) => changes);
      assert.deepEqual(rest, [[], []], 'of several entries of one transaction the first has the changes');
      assert.deepEqual([one?.length, one?.[0]?.key, one?.[0]?.before], [1, 'a', null]);
      assert.equal(two?.[0]?.before, one?.[0]?.after);
      assert.notEqual(two?.[0]?.before, two?.[0]?.after);
      await assertChain(store, 4);
    });

    it('stores neither the change nor its entry when an expectation does not hold', async store => {
      await store.transaction([put('a', '1'), append('one')]);
      const refused = store.transaction([append('two'), put('a', '2', 'absent')]);
      await assert.rejects(refused, error => error instanceof ConflictError && error.index === 1);
      assert.deepEqual((await store.get('ModuleKey', 'a'))?.value, value('1'));
      await assertChain(store, 1);
    });

    it('lets nobody write over the audit or delete from it', async store => {
      await store.transaction([put('a', '1'), append('one')]);
      const before = await store.list('AuditEntry');
      for (const kind of ['AuditEntry', 'AuditHead'] as const) {
        const key = kind === 'AuditHead' ? AUDIT_HEAD_KEY : auditKey(1);
        const target = { kind: kind as 'ModuleKey', key };
        await rejectsCode(store.put(target.kind, key, value('1')), 'invalid-operation');
        await rejectsCode(store.delete(target.kind, key), 'invalid-operation');
        for (const operation of [
          { op: 'put', ...target, value: value('1') },
          { op: 'delete', ...target },
          { op: 'check', ...target, expected: 1 },
        ] as const)
          await rejectsCode(store.transaction([put('b', '1'), operation]), 'invalid-operation');
      }
      assert.deepEqual(await store.list('AuditEntry'), before);
      assert.equal(await store.get('ModuleKey', 'b'), undefined);
      await assertChain(store, 1);
    });

    it('goes on with the chain when it is opened again, and digests alike', async (store, { reopen }) => {
      if (reopen === undefined) return;
      await store.transaction([put('a', '1'), append('one')]);
      const again = await reopen();
      await again.transaction([put('a', '2'), append('two')]);
      await assertChain(again, 2);
      const [one, two] = (await again.list('AuditEntry')).records.map(({ value }) => value.changes[0]);
      assert.equal(two?.before, one?.after);
    });
  });
}

function append(text: string): Operation {
  const draft: AuditDraft = {
    time: '2026-01-01T00:00:00.000Z',
    actor: 'ci',
    action: 'test.done',
    subject: 'a',
    result: 'done',
    text,
  };
  return { op: 'append', kind: 'AuditEntry', value: draft };
}

async function assertChain(store: Store, length: number): Promise<void> {
  const entries = (await store.list('AuditEntry')).records.map(({ value }) => value);
  const end = followChain(CHAIN_START, entries);
  if (isBroken(end)) assert.fail(end.text);
  const head = (await store.get('AuditHead', AUDIT_HEAD_KEY))?.value;
  assert.ok(head !== undefined);
  assert.equal(checkEnd(end, head), undefined);
  assert.equal(head.number, length);
}

function put(key: string, hex: string, expected?: 'absent'): Operation {
  return { op: 'put', kind: 'ModuleKey', key, value: value(hex), ...(expected ? { expected } : {}) };
}

function value(hex: string) {
  return { hex };
}

async function rejectsCode(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, error => error instanceof StoreError && error.code === code);
}
