import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { movedBy } from '../../src/model/rollout-moves.ts';
import { hashFraction } from '../../src/model/rollout-plan.ts';
import { makeSample } from '../model/metric-records.ts';
import { live } from './live.ts';
import { toOther, World } from './world.ts';

const STEPS: JsonObject = {
  steps: [
    { nodes: 1, soak: '1m' },
    { share: '50%', soak: '1m' },
  ],
  bake: '2m',
};

/** Half of the nodes are moved and answered; the step soaks. */
function halfway(): World {
  const world = live().apply(2, { rollout: STEPS }).answer().pass(60_000).answer();
  assert.equal(world.moved().length, 5);
  return world;
}

/** A node of this name would be on the moved side at that share. */
function findName(world: World, isMoved: boolean): string {
  for (let n = 0; ; n += 1) {
    const id = `new-${n}`;
    if (hashFraction(world.latest().id, id) < 0.5 === isMoved) return id;
  }
}

test('a node that joins gets the side that its name puts it on, at once and for good', () => {
  const world = halfway();
  const onto = findName(world, true);
  const off = findName(world, false);
  world.join(onto).join(off).decide();
  assert.equal(world.wanted(onto), 2);
  assert.equal(world.wanted(off), 1);
  world.answer(onto).pass(60_000);
  assert.equal(world.wanted(off), 2);
});

test('a node that joins after a restart of ours gets the same side as before it', () => {
  const world = halfway();
  const id = findName(world, true);
  world.join(id).decide();
  world.restart().decide();
  assert.equal(world.wanted(id), 2);
});

test('a node that returns has the side that it left with', () => {
  const world = halfway();
  const [moved = ''] = world.moved();
  world.leave(moved).pass(20_000).back(moved).decide();
  assert.equal(world.wanted(moved), 2);
});

test('a node that joins while a step is sent is waited for like the others', () => {
  const world = live().apply(2, { rollout: STEPS }).answer().pass(60_000);
  const id = findName(world, true);
  world.join(id).decide();
  for (const node of world.moved()) if (node !== id) world.answer(node);
  assert.equal(world.latest().stage, 'Applying');
  assert.equal(world.answer(id).latest().stage, 'Soaking');
});

test('an excluded node leaves its side and the counts at once, and stays out of the steps', () => {
  const world = halfway();
  const [out = ''] = world.moved();
  world.excluded.add(out);
  world.decide();
  assert.equal(world.wanted(out), 1);
  assert.equal(movedBy(world.records.nodes).has(out), false);
  world.manners.set(out, 'silent');
  world.answer().pass(60_000).answer();
  assert.equal(world.phase(), 'Baking');
  assert.equal(world.wanted(out), 1);
  assert.deepEqual(world.records.assignment?.moved[0]?.except, [out]);
});

test('a node that is included again gets the side of its rank', () => {
  const world = halfway();
  const [out = ''] = world.moved();
  world.excluded.add(out);
  world.decide().excluded.clear();
  assert.equal(world.decide().wanted(out), 2);
  const late = halfway();
  late.excluded.add('edge-1').add('edge-2');
  late.decide().pass(60_000).answer().excluded.clear();
  late.decide();
  assert.equal(late.wanted('edge-1'), 2);
  assert.equal(late.records.assignment?.moved[0]?.except, undefined);
});

test('an excluded node that refuses takes nothing back', () => {
  const world = live();
  world.excluded.add('edge-1');
  world.apply(2, { preset: 'all-at-once' });
  assert.equal(world.latest().targets, 9);
  world.manners.set('edge-1', 'refuses');
  assert.equal(world.answer().phase(), 'Baking');
});

test('an excluded node that is not known yet is left out before it connects', () => {
  const world = live();
  world.excluded.add('later');
  world.apply(2, { preset: 'all-at-once' });
  assert.deepEqual(world.records.assignment?.moved[0]?.except, ['later']);
  assert.equal(world.join('later').decide().wanted('later'), 1);
});

test('a node without a place is not a target, and does not hold anything up', () => {
  const world = live();
  const bare = world.fleet.get('edge-1');
  if (bare !== undefined)
    world.fleet.set('edge-1', toOther(bare, { presence: { ...bare.presence, slots: [] }, verdicts: [] }));
  world.now += 60_000;
  world.apply(2, { preset: 'all-at-once' });
  assert.equal(world.latest().targets, 9);
  assert.equal(world.answer().phase(), 'Baking');
});

test('a moved node that loses its listener is not waited for', () => {
  const world = live().apply(2, { preset: 'all-at-once' });
  const bare = world.fleet.get('edge-1');
  if (bare !== undefined)
    world.fleet.set('edge-1', toOther(bare, { presence: { ...bare.presence, slots: [] }, verdicts: [] }));
  for (const id of world.fleet.keys()) if (id !== 'edge-1') world.answer(id);
  world.pass(3_000);
  assert.equal(world.phase(), 'Baking');
});

test('zones come one after the other: a zone begins when the one before it is done', () => {
  const world = new World();
  for (const zone of ['a', 'b']) for (let n = 0; n < 4; n += 1) world.join(`${zone}-${n}`, { zone });
  world.apply(1, { preset: 'all-at-once' }).answer().pass(600_000);
  const steps = [
    { nodes: 1, soak: '1m' },
    { share: '100%', soak: '1m' },
  ];
  const waves = [
    { name: 'a', selector: { zone: 'a' } },
    { name: 'b', selector: { zone: 'b' } },
  ];
  world.apply(2, { rollout: { waves, steps, bake: '1m' } });
  const zonesMoved = () => [...new Set(world.moved().map(id => id.charAt(0)))];
  const seen: string[][] = [];
  for (let n = 0; n < 4; n += 1) {
    seen.push([...zonesMoved(), String(world.moved().length)]);
    world.answer().pass(60_000);
  }
  assert.deepEqual(seen, [
    ['a', '1'],
    ['a', '4'],
    ['a', 'b', '5'],
    ['a', 'b', '8'],
  ]);
});

test('a node that joins a zone whose turn has not come keeps what was proven', () => {
  const world = new World();
  for (const zone of ['a', 'b']) for (let n = 0; n < 4; n += 1) world.join(`${zone}-${n}`, { zone });
  world.apply(1, { preset: 'all-at-once' }).answer().pass(600_000);
  const waves = [{ selector: { zone: 'a' } }, { selector: { zone: 'b' } }];
  world.apply(2, { rollout: { waves, steps: [{ share: '100%', soak: '1m' }] } }).answer();
  for (let n = 4; n < 10; n += 1) world.join(`a-${n}`, { zone: 'a' }).join(`b-${n}`, { zone: 'b' });
  world.decide();
  for (let n = 4; n < 10; n += 1) {
    assert.equal(world.wanted(`a-${n}`), 2);
    assert.equal(world.wanted(`b-${n}`), 1);
  }
});

test('what a moved node answered in the minute before is kept with it', () => {
  const world = live();
  const sample = (at: number, ok: number, bad: number) => makeSample(at, { byClass: [0, ok, 0, 0, bad] });
  for (const id of world.fleet.keys()) {
    const samples = [sample(world.now - 50_000, 100, 0), sample(world.now - 1_000, 190, 10)];
    world.metrics.set(id, { node: id, process: 'p1', samples });
  }
  world.apply(2, { rollout: STEPS });
  const [moved = ''] = world.moved();
  assert.deepEqual(world.records.nodes?.before, { [moved]: { requests: 100, errors5xx: 10 } });
});

test('what was left on nodes that have all been moved on is left nowhere', () => {
  const world = halfway().apply(3, { rollout: STEPS }).apply(4, { rollout: STEPS });
  assert.equal(world.records.assignment?.moved.length, 3);
  world.act('promote', { full: true });
  assert.equal(world.records.assignment?.moved.length, 1);
});
