import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Row } from '../../src/store/engine.ts';
import { KeptRecords } from '../../src/store/kept-records.ts';
import { compareKeys } from '../../src/store/key-order.ts';
import type { Stored } from '../../src/store/store.ts';

/** An engine of one kind, and what is kept of it. */
function setUp(limit = 1000) {
  const rows = new Map<string, Row>();
  let parses = 0;
  const parse = (_kind: string, { key, text, revision, createdRevision }: Row): Stored<unknown> => {
    parses += 1;
    return { key, value: JSON.parse(text), revision, createdRevision };
  };
  const kept = new KeptRecords(parse, { PluginSpec: limit });
  const inOrder = () => [...rows.values()].sort((a, b) => compareKeys(a.key, b.key));
  const read = (key: string) => rows.get(key);
  return {
    write(key: string, revision: number | undefined, text = '{}') {
      if (revision === undefined) rows.delete(key);
      else rows.set(key, { key, text, revision, createdRevision: 1 });
      kept.forget('PluginSpec', key);
    },
    get: (key: string) => kept.get('PluginSpec', key, () => read(key)),
    list: () => kept.list('PluginSpec', inOrder, read),
    listPrefix: (prefix: string) => kept.listPrefix('PluginSpec', prefix, read),
    expected: () => inOrder().map(({ key, revision }) => [key, revision]),
    parses: () => parses,
  };
}

test('what is not written again is the same object, and so is a list; one write reads one record', () => {
  const world = setUp();
  for (const key of ['b', 'a', 'c']) world.write(key, 1);
  const list = world.list();
  assert.equal(world.list(), list);
  assert.equal(world.get('a'), list[0]);
  assert.equal(world.parses(), 3);
  world.write('b', 2);
  const next = world.list();
  assert.deepEqual(
    next.map(({ revision }) => revision),
    [1, 2, 1],
  );
  assert.equal(next[0], list[0]);
  assert.equal(next[2], list[2]);
  assert.equal(world.parses(), 4);
  assert.equal(list[1]?.revision, 1, 'who has the list from before has it as it was');
});

test('what is kept is bounded by its text: one too much and all is read again, of a large one the rest stays', () => {
  const world = setUp(20);
  const large = JSON.stringify('x'.repeat(30));
  const parsesOf = (read: () => unknown): number => {
    const before = world.parses();
    read();
    return world.parses() - before;
  };
  for (const key of ['a', 'b']) world.write(key, 1, JSON.stringify('12345678'));
  world.list();
  assert.equal(parsesOf(world.list), 0);
  world.write('b', 2, JSON.stringify('87654321'));
  world.list();
  assert.equal(parsesOf(world.list), 0, 'a new text takes the place of the old one');
  world.write('c', 1);
  world.list();
  world.list();
  assert.equal(parsesOf(world.list), 3);
  world.write('c', undefined);
  world.list();
  assert.equal(parsesOf(world.list), 0);
  world.write('b', 3, large);
  assert.equal(
    parsesOf(() => world.get('b')),
    1,
  );
  assert.equal(
    parsesOf(() => world.get('b')),
    1,
  );
  world.get('a');
  assert.equal(
    parsesOf(() => world.get('a')),
    0,
  );
});

test('a reader that sorts a list in place is refused it: the list is everybody’s', () => {
  const world = setUp();
  for (const key of ['b', 'a']) world.write(key, 1);
  assert.throws(() => (world.list() as unknown[]).reverse(), TypeError);
  world.write('c', 1);
  assert.throws(() => (world.list() as unknown[]).reverse(), TypeError);
});

test('property: whatever is written and read in between, all is read as it was written last', () => {
  const key = fc.constantFrom('a', 'b', 'b/1', 'b/2', 'd/e', '\u{10000}', '\uffff');
  const step = fc.oneof(
    fc.record({ do: fc.constant('write' as const), key, revision: fc.option(fc.nat(9), { nil: undefined }) }),
    fc.record({ do: fc.constant('get' as const), key, revision: fc.constant(undefined) }),
    fc.record({ do: fc.constant('list' as const), key, revision: fc.constant(undefined) }),
    fc.record({ do: fc.constant('prefix' as const), key, revision: fc.constant(undefined) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), fc.constantFrom(0, 3, 7, 1000), (steps, limit) => {
      const world = setUp(limit);
      for (const { do: what, key: at, revision } of steps) {
        if (what === 'write') world.write(at, revision);
        else if (what === 'list') world.list();
        const found = new Map(world.expected() as [string, number][]).get(at);
        if (what === 'get') assert.equal(world.get(at)?.revision, found);
        // undefined: not all is in memory.
        const below = what === 'prefix' ? world.listPrefix(at) : undefined;
        const told = below?.map(({ key: one, revision: is }) => [one, is]);
        if (told !== undefined)
          assert.deepEqual(
            told,
            world.expected().filter(([one]) => String(one).startsWith(at)),
          );
      }
      assert.deepEqual(
        world.list().map(({ key: at, revision }) => [at, revision]),
        world.expected(),
      );
    }),
    { numRuns: 300 },
  );
});

test('a part of the keys is read from memory where all are there, and else is not known', () => {
  const world = setUp();
  for (const key of ['a/1', 'b/1', 'b/2', 'c/1']) world.write(key, 1);
  assert.equal(world.listPrefix('b/'), undefined);
  const list = world.list();
  assert.deepEqual(world.listPrefix('b/'), [list[1], list[2]]);
  assert.deepEqual(world.listPrefix('d/'), []);
  assert.equal(world.parses(), 4);
});
