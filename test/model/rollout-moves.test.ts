import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RolloutNodes } from '../../src/model/rollout.ts';
import { movedBy, sameOrder, withMove, withoutMoved } from '../../src/model/rollout-moves.ts';

const ORDER = [
  ['a', 'b'],
  ['c', 'd'],
] as const;

function makeNodes(moves: RolloutNodes['moves'] = []): RolloutNodes {
  return { rollout: 'default.auth.1', order: ORDER, before: {}, moves };
}

function stepsOf(nodes: RolloutNodes): string {
  return [...movedBy(nodes)].map(([id, { step }]) => `${id}${step}`).join(' ');
}

test('a fleet that is moved at once is one word in the record, with those that joined beside it', () => {
  const all = withMove(makeNodes(), { at: 5, step: 0 }, ['a', 'b', 'c', 'd', 'late']);
  assert.deepEqual(all.moves, [
    { at: 5, step: 0, nodes: 'targets' },
    { at: 5, step: 0, nodes: ['late'] },
  ]);
  assert.equal(stepsOf(all), 'a0 b0 c0 d0 late0');
});

test('a step names its nodes, and the last one what is left', () => {
  const first = withMove(makeNodes(), { at: 5, step: 0 }, ['a']);
  const joined = withMove(first, { at: 6, step: 0 }, ['late']);
  const last = withMove(joined, { at: 7, step: 1 }, ['b', 'c', 'd']);
  assert.deepEqual(last.moves, [
    { at: 5, step: 0, nodes: ['a'] },
    { at: 6, step: 0, nodes: ['late'] },
    { at: 7, step: 1, nodes: 'targets' },
  ]);
  assert.equal(stepsOf(last), 'a0 late0 b1 c1 d1');
  assert.equal(movedBy(last), movedBy({ order: ORDER, moves: last.moves }), 'one map for one list of moves');
});

test('where a target is missing the others are named, and it comes when it is back', () => {
  const some = withMove(makeNodes(), { at: 5, step: 0 }, ['a', 'b', 'd']);
  assert.deepEqual(some.moves, [{ at: 5, step: 0, nodes: ['a', 'b', 'd'] }]);
  const rest = withMove(some, { at: 9, step: 0 }, ['c']);
  assert.equal(stepsOf(rest), 'a0 b0 d0 c0');
  assert.equal(movedBy(rest).get('c')?.at, 9);
});

test('nodes that a person takes out were never moved, and the others stay as they were', () => {
  const all = withMove(makeNodes(), { at: 5, step: 0 }, ['a', 'b', 'c', 'd', 'late']);
  assert.equal(withoutMoved(all, new Set(['unknown'])), all);
  const less = withoutMoved(all, new Set(['b', 'late']));
  assert.deepEqual(less.moves, [{ at: 5, step: 0, nodes: ['a', 'c', 'd'] }]);
  assert.equal(stepsOf(withMove(less, { at: 6, step: 0 }, ['b'])), 'a0 c0 d0 b0');
});

test('targets that were moved at once before are ranked once, others anew', () => {
  const again = sameOrder(
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
    ORDER,
  );
  assert.equal(again, ORDER);
  const [first, second] = [1, 2].map(at =>
    movedBy({ order: again, moves: [{ at, step: 0, nodes: 'targets' }] }),
  );
  assert.equal(first?.ranks, second?.ranks);
  assert.equal(first?.get('c')?.at, 1);
  assert.equal(second?.get('c')?.at, 2);
  assert.equal(second?.get('x'), undefined);
  for (const order of [
    [
      ['a', 'b'],
      ['d', 'c'],
    ],
    [['a', 'b', 'c', 'd']],
    [['a', 'b'], ['c']],
  ])
    assert.equal(sameOrder(order, ORDER), order);
  assert.equal(sameOrder(ORDER, undefined), ORDER);
});

test('nobody is moved where nothing is recorded', () => {
  assert.equal(movedBy(undefined).size, 0);
  assert.equal(movedBy(makeNodes()).size, 0);
});
