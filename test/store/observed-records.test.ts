import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EmbeddedStore } from '../../src/store/embedded-store.ts';
import { compareKeys } from '../../src/store/key-order.ts';
import type { Operation, Records } from '../../src/store/store.ts';
import { KeptEngine } from './kept-engine.ts';

/** So small that everything happens within a few writes: full segments, and compaction of some and of all. */
const SMALL = { segmentSize: 400, floor: 300 };
const KINDS = ['NodePresence', 'NodeVerdict', 'ModuleKey'] as const;

type TestKind = (typeof KINDS)[number];

interface Step {
  readonly writes: readonly {
    readonly kind: TestKind;
    readonly key: string;
    /** null: delete. */
    readonly text: string | null;
    /** Not written, only compared with what is there. */
    readonly isCheck: boolean;
  }[];
  /** full: the engine refuses it. kill: what was in memory is gone after it. */
  readonly end: 'written' | 'full' | 'kill';
}

interface Known {
  readonly text: string;
  readonly revision: number;
  readonly createdRevision: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  writes: fc.uniqueArray(
    fc.record({
      kind: fc.constantFrom(...KINDS),
      key: fc.constantFrom('a', 'b', 'c', 'é', '\u{1f600}', '\uffff', 'a\nb', 'a\u0000b'),
      text: fc.option(fc.string({ unit: 'binary', maxLength: 120 }), { freq: 3 }),
      isCheck: fc.constantFrom(false, false, false, true),
    }),
    { selector: ({ kind, key }) => `${kind} ${key}`, maxLength: 5 },
  ),
  end: fc.constantFrom('written', 'written', 'written', 'full', 'kill'),
});

test('whatever is written, refused, compacted or killed, a store and one opened at any point show what a map does', async () => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
    const engine = new KeptEngine();
    let store = new EmbeddedStore(engine, SMALL);
    const model = new Map<string, Known>();
    for (const { writes, end } of steps) {
      engine.fails = end === 'full';
      const before = engine.revision;
      const revision = await store
        .transaction(writes.map(it => toOperation(it, model)))
        .catch(() => 'refused' as const);
      engine.fails = false;
      if (revision !== 'refused' && revision !== before)
        for (const { kind, key, text, isCheck } of writes)
          if (!isCheck) note(model, `${kind} ${key}`, text, revision);
      if (end === 'kill') store = new EmbeddedStore(engine, SMALL);
      else await check(new EmbeddedStore(engine, SMALL), model);
      await check(store, model);
    }
  });
  await fc.assert(property, { numRuns: 100 });
});

function toOperation(
  { kind, key, text, isCheck }: Step['writes'][number],
  model: ReadonlyMap<string, Known>,
): Operation {
  if (isCheck) return { op: 'check', kind, key, expected: model.get(`${kind} ${key}`)?.revision ?? 'absent' };
  return text === null
    ? { op: 'delete', kind, key }
    : ({ op: 'put', kind, key, value: { text } } as unknown as Operation);
}

function note(model: Map<string, Known>, id: string, text: string | null, revision: number): void {
  if (text === null) model.delete(id);
  else model.set(id, { text, revision, createdRevision: model.get(id)?.createdRevision ?? revision });
}

async function check(store: EmbeddedStore, model: ReadonlyMap<string, Known>): Promise<void> {
  for (const kind of KINDS) {
    const expected = [...model]
      .filter(([id]) => id.startsWith(`${kind} `))
      .map(([id, { text, ...revisions }]) => ({
        key: id.slice(kind.length + 1),
        value: { text },
        ...revisions,
      }))
      .sort((a, b) => compareKeys(a.key, b.key));
    assert.deepEqual((await store.list(kind)).records, expected);
    const some = expected.filter(({ key }) => key.startsWith('a'));
    assert.deepEqual((await store.list(kind, 'a')).records, some);
  }
}

test('a list is the same while nothing is written, stays as it was, and a reader that sorts it harms no other record', async () => {
  const store = new EmbeddedStore(new KeptEngine());
  const list = async () => (await store.list('NodeVerdict')).records;
  await store.transaction([put(1, 0), put(2, 0), put(3, 0)]);
  const before = await list();
  assert.equal(await list(), before);
  const asItWas = [...before];
  await store.transaction([put(2, 1)]);
  const after = await list();
  assert.deepEqual(before, asItWas);
  assert.equal(after[0], before[0]);
  assert.notDeepEqual(after[1], before[1]);
  (after as unknown[]).reverse();
  await store.transaction([put(3, 1), put(1, 1)]);
  await store.delete('NodeVerdict', after[1]?.key ?? '');
  await store.transaction([put(3, 2)]);
  assert.deepEqual(await list(), (await store.list('NodeVerdict', 'node-')).records);
  assert.equal((await list()).length, 2);
});

test('a list is the same although its records stand in another segment than before', async () => {
  const engine = new KeptEngine();
  const store = new EmbeddedStore(engine, SMALL);
  const presence = { text: 'x'.repeat(200) } as unknown as Records['NodePresence'];
  await store.put('NodePresence', 'a', presence);
  const before = (await store.list('NodePresence')).records;
  const [first] = engine.segments();
  for (let turn = 0; turn < 50; turn += 1) await store.transaction([put(1, turn)]);
  assert.notEqual([...engine.segments()].at(-1)?.sequence, first?.sequence);
  assert.equal((await store.list('NodePresence')).records, before);
  assert.deepEqual((await new EmbeddedStore(engine, SMALL).list('NodePresence')).records, before);
});

test('a change of one node is one entry of one segment, and no row, however many nodes there are', async () => {
  const costs: unknown[] = [];
  for (const nodes of [100, 3000]) {
    const engine = new KeptEngine();
    const store = new EmbeddedStore(engine);
    await store.transaction(Array.from({ length: nodes }, (_, n) => put(n, 0)));
    await store.transaction([put(7, 1)]);
    costs.push(engine.last);
    await store.transaction([put(7, 2), { op: 'delete', kind: 'NodeVerdict', key: 'never there' }]);
    assert.deepEqual(engine.last, costs.at(-1));
  }
  assert.deepEqual(costs[0], costs[1]);
  assert.deepEqual(costs[0], { ...(costs[0] as object), rows: 0, segments: 1 });
});

/** Which of 400 nodes each transaction writes. */
const PATTERNS: readonly (readonly [string, number, (turn: number) => readonly number[]])[] = [
  ['one node changes all the time', 2000, () => [3]],
  ['each in its turn', 2000, turn => [turn % 400]],
  ['all of them by the hundred', 80, turn => Array.from({ length: 100 }, (_, n) => (100 * turn + n) % 400)],
  ['some often, some never', 1500, turn => [turn % 7, 7 + ((turn * turn) % 93)]],
];

for (const [name, turns, nodesOf] of PATTERNS)
  test(`written over and over, what is kept and what is rewritten stay bounded: ${name}`, async () => {
    const bounds = { segmentSize: 8_000, floor: 4_000 };
    const engine = new KeptEngine();
    const store = new EmbeddedStore(engine, bounds);
    await store.transaction(Array.from({ length: 400 }, (_, n) => put(n, 0)));
    const live = engine.held;
    const own = await sizeOf(nodesOf(0).length);
    let [fresh, total, most] = [0, 0, 0];
    for (let turn = 1; turn <= turns; turn += 1) {
      const nodes = nodesOf(turn);
      await store.transaction(nodes.map(n => put(n, turn)));
      fresh += own;
      total += engine.last.chars;
      most = Math.max(most, engine.held);
      assert.ok(engine.last.chars < 2.3 * own + bounds.segmentSize, `${engine.last.chars} at once`);
    }
    assert.ok(fresh > 3 * live, 'written more than once over');
    assert.ok(total < 2.3 * fresh, `${total} written for ${fresh}`);
    assert.ok(most < 3 * live + bounds.floor + bounds.segmentSize, `${most} kept of ${live}`);
    assert.ok(most > 1.2 * live, 'it was let grow before it was compacted');
    assert.deepEqual(
      (await new EmbeddedStore(engine).list('NodeVerdict')).records,
      (await store.list('NodeVerdict')).records,
    );
  });

/** Characters of the segment that so many nodes take in one transaction. */
async function sizeOf(nodes: number): Promise<number> {
  const engine = new KeptEngine();
  await new EmbeddedStore(engine).transaction(Array.from({ length: nodes }, (_, n) => put(n, 1000)));
  return engine.last.chars;
}

test('when all nodes are forgotten nearly nothing is kept of them', async () => {
  const bounds = { segmentSize: 8_000, floor: 4_000 };
  const engine = new KeptEngine();
  const store = new EmbeddedStore(engine, bounds);
  for (let turn = 0; turn < 3; turn += 1)
    await store.transaction(Array.from({ length: 400 }, (_, n) => put(n, turn)));
  for (let n = 0; n < 400; n += 1) await store.delete('NodeVerdict', `node-${String(n).padStart(4, '0')}`);
  for (let turn = 0; turn < 100; turn += 1) await store.transaction([put(1, turn)]);
  assert.ok(engine.held < 2 * (bounds.floor + bounds.segmentSize), `${engine.held}`);
  assert.equal((await new EmbeddedStore(engine).list('NodeVerdict')).records.length, 1);
});

function put(node: number, turn: number): Operation {
  const id = `node-${String(node).padStart(4, '0')}`;
  const value = { node: id, turn: String(turn).padStart(5, '0'), text: 'x'.repeat(200) };
  return { op: 'put', kind: 'NodeVerdict', key: id, value: value as unknown as Records['NodeVerdict'] };
}
