import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AuditEntry, hashEntry, NO_ENTRY_HASH } from '../../src/model/audit.ts';
import {
  type BrokenEntry,
  CHAIN_START,
  checkEnd,
  followChain,
  isBroken,
} from '../../src/model/audit-chain.ts';

const CHAIN = makeChain(12);
const HEAD = headOf(CHAIN);

test('a chain as it was appended is intact, read at once or in parts', () => {
  assert.equal(verify(CHAIN), undefined);
  const half = followChain(CHAIN_START, CHAIN.slice(0, 5));
  assert.ok(!isBroken(half));
  assert.deepEqual(followChain(half, CHAIN.slice(5)), HEAD);
  assert.equal(checkEnd(CHAIN_START, CHAIN_START), undefined, 'nothing was appended yet');
});

test('the first entry that was changed is named, whatever of it was', () => {
  const property = fc.property(
    fc.integer({ min: 0, max: CHAIN.length - 1 }),
    fc.constantFrom('time', 'actor', 'behalf', 'result', 'text', 'changes', 'revision', 'count'),
    (index, field) => {
      const changed = CHAIN.with(index, {
        ...at(index),
        [field]: field === 'changes' ? [] : 'another',
      } as AuditEntry);
      assert.deepEqual(faultOf(verify(changed)), [index + 1, 'changed']);
    },
  );
  fc.assert(property);
});

test('an entry changed with a hash that fits it breaks the link of the next one, and the last one the end', () => {
  const rehashed = (index: number) => {
    const { hash: _old, ...entry } = { ...at(index), text: 'nothing happened' };
    return CHAIN.with(index, { ...entry, hash: hashEntry(entry) });
  };
  assert.deepEqual(faultOf(verify(rehashed(3))), [5, 'unlinked']);
  assert.deepEqual(faultOf(verify(rehashed(CHAIN.length - 1))), [CHAIN.length, 'cut']);
});

test('an entry that was removed, moved or put in is named', () => {
  assert.deepEqual(faultOf(verify(CHAIN.toSpliced(4, 1))), [5, 'missing']);
  assert.deepEqual(faultOf(verify(CHAIN.toSpliced(0, 1))), [1, 'missing']);
  assert.deepEqual(faultOf(verify(CHAIN.with(4, at(5)).with(5, at(4)))), [5, 'missing']);
  assert.deepEqual(faultOf(verify(CHAIN.toSpliced(4, 0, at(3)))), [5, 'missing']);
});

test('a tail that was cut off is noticed, and one that was added', () => {
  assert.deepEqual(faultOf(verify(CHAIN.slice(0, -2))), [11, 'cut']);
  assert.deepEqual(faultOf(verify([])), [1, 'cut']);
  const longer = makeChain(13);
  assert.deepEqual(faultOf(verify(longer)), [13, 'cut']);
});

test('a chain written anew as a whole is noticed by who kept a hash of the old one', () => {
  const forged = makeChain(12, 'nothing happened');
  assert.equal(verify(forged, headOf(forged)), undefined, 'it is sound in itself');
  assert.deepEqual(faultOf(verify(forged, HEAD)), [12, 'cut']);
});

function verify(entries: readonly AuditEntry[], head = HEAD): BrokenEntry | undefined {
  const end = followChain(CHAIN_START, entries);
  return isBroken(end) ? end : checkEnd(end, head);
}

function faultOf(broken: BrokenEntry | undefined) {
  return broken && [broken.number, broken.fault];
}

function at(index: number): AuditEntry {
  const entry = CHAIN[index];
  assert.ok(entry !== undefined);
  return entry;
}

function headOf(chain: readonly AuditEntry[]) {
  const last = chain.at(-1);
  assert.ok(last !== undefined);
  return { number: last.number, hash: last.hash };
}

function makeChain(length: number, text = 'auth created'): readonly AuditEntry[] {
  let previous = NO_ENTRY_HASH;
  return Array.from({ length }, (_, index) => {
    const entry: Omit<AuditEntry, 'hash'> = {
      kind: 'AuditEntry',
      number: index + 1,
      time: `2026-01-01T00:00:${String(index).padStart(2, '0')}.000Z`,
      actor: 'ci',
      action: 'plugin.created',
      subject: 'default/auth',
      result: 'done',
      text,
      revision: index + 10,
      changes: [{ record: 'PluginSpec', key: 'default/auth', before: null, after: 'ab' }],
      previous,
    };
    previous = hashEntry(entry);
    return { ...entry, hash: previous };
  });
}
