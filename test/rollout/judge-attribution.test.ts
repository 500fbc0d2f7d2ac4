import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { attribute, type Suspect } from '../../src/rollout/judge-attribution.ts';

const suspect = (rollout: string, ...nodes: string[]): Suspect => ({ rollout, moved: new Set(nodes) });
const fine =
  (...nodes: string[]) =>
  (node: string) =>
    nodes.includes(node);

const CASES: readonly (readonly [string, string[], Suspect[], string[], string[], string[]])[] = [
  // what, failing, suspects, fine, blamed, unattributed
  ['the only one that moved it is to blame', ['n1'], [suspect('a', 'n1')], [], ['a'], []],
  ['also where its other nodes are fine', ['n1'], [suspect('a', 'n1', 'n2')], ['n2'], ['a'], []],
  ['nobody moved it', ['n1'], [suspect('a', 'n2')], ['n2'], [], []],
  ['nothing fails', [], [suspect('a', 'n1')], ['n1'], [], []],
  ['two moved it and nothing else', ['n1'], [suspect('a', 'n1'), suspect('b', 'n1')], [], [], ['a', 'b']],
  [
    'one is cleared by a node of its own',
    ['n1'],
    [suspect('a', 'n1', 'n2'), suspect('b', 'n1')],
    ['n2'],
    ['b'],
    [],
  ],
  [
    'a node that both moved clears nobody',
    ['n1'],
    [suspect('a', 'n1', 'n2'), suspect('b', 'n1', 'n2')],
    ['n2'],
    [],
    ['a', 'b'],
  ],
  [
    'a node that is not known to be fine clears nobody',
    ['n1'],
    [suspect('a', 'n1', 'n2'), suspect('b', 'n1')],
    [],
    [],
    ['a', 'b'],
  ],
  [
    'a failing node clears nobody, whatever is said of it; and tells who it was',
    ['n1', 'n2'],
    [suspect('a', 'n1', 'n2'), suspect('b', 'n1')],
    ['n2'],
    ['a'],
    [],
  ],
  [
    'both are cleared: it is something that only both do together, or none',
    ['n1'],
    [suspect('a', 'n1', 'n2'), suspect('b', 'n1', 'n3')],
    ['n2', 'n3'],
    [],
    ['a', 'b'],
  ],
  [
    'of three, one is cleared and two are left',
    ['n1'],
    [suspect('a', 'n1', 'n2'), suspect('b', 'n1'), suspect('c', 'n1')],
    ['n2'],
    [],
    ['b', 'c'],
  ],
  [
    'of three, two are cleared',
    ['n1'],
    [suspect('a', 'n1', 'n2'), suspect('b', 'n1'), suspect('c', 'n1', 'n3')],
    ['n2', 'n3'],
    ['b'],
    [],
  ],
  [
    'a third one with a good node of the first clears the first no less',
    ['n1'],
    [suspect('a', 'n1', 'n2'), suspect('b', 'n1'), suspect('c', 'n2')],
    ['n2'],
    ['b'],
    [],
  ],
  ['two nodes, two culprits', ['n1', 'n2'], [suspect('a', 'n1'), suspect('b', 'n2')], [], ['a', 'b'], []],
];

for (const [what, failing, suspects, fineNodes, blamed, unattributed] of CASES)
  test(what, () =>
    assert.deepEqual(attribute(failing, suspects, fine(...fineNodes)), { blamed, unattributed }),
  );

const nodes = fc.uniqueArray(fc.constantFrom('n1', 'n2', 'n3', 'n4', 'n5', 'n6'));
const worlds = fc.record({
  failing: nodes,
  moved: fc.array(nodes, { minLength: 1, maxLength: 4 }),
  fine: nodes,
});

test('nobody is both blamed and in doubt, and only those who moved a failing node are either', () => {
  fc.assert(
    fc.property(worlds, world => {
      const suspects = world.moved.map((list, index) => suspect(`r${index}`, ...list));
      const { blamed, unattributed } = attribute(world.failing, suspects, fine(...world.fine));
      for (const id of blamed) assert.ok(!unattributed.includes(id));
      for (const id of [...blamed, ...unattributed])
        assert.ok(
          suspects.find(one => one.rollout === id && world.failing.some(node => one.moved.has(node))),
        );
    }),
  );
});

test('a failing node that a rollout moved is never without consequence', () => {
  fc.assert(
    fc.property(worlds, world => {
      const suspects = world.moved.map((list, index) => suspect(`r${index}`, ...list));
      const { blamed, unattributed } = attribute(world.failing, suspects, fine(...world.fine));
      const stopped = new Set([...blamed, ...unattributed]);
      for (const node of world.failing) {
        const movers = suspects.filter(({ moved }) => moved.has(node));
        assert.ok(movers.length === 0 || movers.some(({ rollout }) => stopped.has(rollout)));
      }
    }),
  );
});

test('who is asked first, and in which order nodes fail, changes nothing', () => {
  fc.assert(
    fc.property(worlds, world => {
      const suspects = world.moved.map((list, index) => suspect(`r${index}`, ...list));
      const one = attribute(world.failing, suspects, fine(...world.fine));
      const two = attribute([...world.failing].reverse(), [...suspects].reverse(), fine(...world.fine));
      assert.deepEqual(new Set(two.blamed), new Set(one.blamed));
      assert.deepEqual(new Set(two.unattributed), new Set(one.unattributed));
    }),
  );
});
