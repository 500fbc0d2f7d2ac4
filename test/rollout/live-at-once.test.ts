import assert from 'node:assert/strict';
import { test } from 'node:test';
import { live } from './live.ts';
import type { World } from './world.ts';

/** Revision 1 is proven, everybody has gone, and revision 2 is live without a node that has it. */
function untried(): World {
  const world = live(4, 1);
  world.leave(...world.fleet.keys()).pass(20_000);
  world.apply(2).pass(1_000);
  assert.equal(world.latest().reason, 'NoNodes');
  return world;
}

function comeBack(world: World): World {
  return world
    .back(...world.fleet.keys())
    .answer()
    .pass(1_000)
    .answer()
    .pass(1_000)
    .answer()
    .pass(700_000);
}

test('two that became live while nobody was there: a refusal goes back to what was proven before both', () => {
  const world = untried().apply(3).pass(1_000);
  assert.equal(world.latest().reason, 'NoNodes');
  assert.equal(world.latest().from.revision, 1);
  world.refuses.add(2).add(3);
  comeBack(world);
  assert.equal(world.records.assignment?.base.revision, 1);
  assert.equal(world.phase(), 'RolledBack');
});

test('a document whose module is not there hides nothing: a refusal takes back what nobody has tried', () => {
  const world = untried();
  world
    .document({ url: 'oci://registry.example/auth:typo' })
    .module({ state: 'failed', message: 'no such module' });
  assert.equal(world.phase(), 'NotStarted');
  world.refuses.add(2);
  comeBack(world);
  assert.equal(world.records.assignment?.base.revision, 1);
  assert.equal(world.records.quarantine.get('content-2')?.cause, 'refused');
  assert.ok(world.types().includes('rollout.rolled-back'));
});

test('a rollout that begins before anybody has tried what is live goes back to what was proven', () => {
  const world = untried();
  world.back(...world.fleet.keys()).apply(3, { rollout: { steps: [{ nodes: 1, soak: '1m' }] } });
  assert.equal(world.latest().from.revision, 1);
  world.refuses.add(2).add(3);
  world.answer().pass(1_000).answer();
  assert.equal(world.phase(), 'RolledBack');
  assert.equal(world.records.assignment?.base.revision, 1);
});
