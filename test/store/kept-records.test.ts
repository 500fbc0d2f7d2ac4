import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { KeptRecords } from '../../src/store/kept-records.ts';
import { compareKeys } from '../../src/store/key-order.ts';
import type { Stored } from '../../src/store/store.ts';

/** An engine of one kind, and what is kept of it. */
function setUp() {
  const rows = new Map<string, number>();
  const kept = new KeptRecords();
  let reads = 0;
  const parse = (key: string): Stored<unknown> | undefined => {
    const revision = rows.get(key);
    if (revision === undefined) return undefined;
    reads += 1;
    return { key, value: { revision }, revision, createdRevision: 1 };
  };
  const inOrder = () => [...rows.keys()].sort(compareKeys);
  const scan = () => inOrder().flatMap(key => parse(key) ?? []);
  return {
    write(key: string, revision: number | undefined) {
      if (revision === undefined) rows.delete(key);
      else rows.set(key, revision);
      kept.forget('PluginSpec', key);
    },
    get: (key: string) => kept.get('PluginSpec', key, () => parse(key)),
    list: () => kept.list('PluginSpec', scan, parse),
    expected: () => inOrder().map(key => [key, rows.get(key)]),
    reads: () => reads,
  };
}

test('what is not written again is the same object, and so is a list; one write reads one record', () => {
  const world = setUp();
  for (const key of ['b', 'a', 'c']) world.write(key, 1);
  const list = world.list();
  assert.equal(world.list(), list);
  assert.equal(world.get('a'), list[0]);
  assert.equal(world.reads(), 3);
  world.write('b', 2);
  const next = world.list();
  assert.deepEqual(
    next.map(({ revision }) => revision),
    [1, 2, 1],
  );
  assert.equal(next[0], list[0]);
  assert.equal(next[2], list[2]);
  assert.equal(world.reads(), 4);
  assert.equal(list[1]?.revision, 1, 'who has the list from before has it as it was');
});

test('property: whatever is written and read in between, all is read as it was written last', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd/e', '\u{10000}', '\uffff');
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), key, revision: fc.option(fc.nat(9), { nil: undefined }) }),
    fc.record({ do: fc.constant('get' as const), key, revision: fc.constant(undefined) }),
    fc.record({ do: fc.constant('list' as const), key, revision: fc.constant(undefined) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), steps => {
      const world = setUp();
      for (const { do: what, key: at, revision } of steps) {
        if (what === 'write') world.write(at, revision);
        else if (what === 'list') world.list();
        const found = new Map(world.expected() as [string, number][]).get(at);
        if (what === 'get') assert.equal(world.get(at)?.revision, found);
      }
      assert.deepEqual(
        world.list().map(({ key: at, revision }) => [at, revision]),
        world.expected(),
      );
    }),
    { numRuns: 300 },
  );
});
