import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { live } from './live.ts';
import { World } from './world.ts';

const STEPS: JsonObject = {
  steps: [
    { nodes: 2, soak: '1m' },
    { share: '50%', soak: '1m' },
  ],
  bake: '2m',
};

function begin(): World {
  return live().apply(2, { rollout: STEPS });
}

function backAll(world: World): World {
  return world.back(...world.fleet.keys()).decide();
}

test('a restart goes on at the same step with the same nodes and what was left of the soak', () => {
  const world = begin().answer().pass(20_000);
  const moved = world.moved();
  world.restart(3_600_000).decide();
  assert.equal(world.phase(), 'Progressing');
  assert.equal(world.latest().stage, 'Soaking');
  backAll(world);
  assert.deepEqual(world.moved(), moved);
  world.pass(39_999);
  assert.equal(world.latest().step, 0);
  world.pass(1);
  assert.equal(world.latest().step, 1);
});

test('a soak stands still until the moved nodes are back, at most a minute', () => {
  const world = begin().answer().pass(20_000).restart();
  const [first = '', second = ''] = world.moved();
  world.back(...[...world.fleet.keys()].filter(id => id !== second)).pass(30_000);
  world.back(second).decide();
  assert.equal(world.latest().timer?.leftMs, 40_000);
  world.pass(39_999);
  assert.equal(world.latest().step, 0);
  assert.equal(world.pass(1).latest().step, 1);
  assert.notEqual(first, '');
});

test('nodes that were not moved are not waited for', () => {
  const world = begin().answer().pass(20_000).restart();
  world.back(...world.moved()).pass(39_999);
  assert.equal(world.latest().step, 0);
  assert.equal(world.pass(1).latest().step, 1);
});

test('our own restart never pauses a rollout; nodes that do not come back do, after a minute', () => {
  const world = begin().answer().pass(20_000).restart();
  world.pass(59_999);
  assert.equal(world.phase(), 'Progressing');
  world.pass(1);
  assert.equal(world.phase(), 'Paused');
  assert.equal(world.latest().reason, 'Disconnected');
});

test('a node that came after our start and went is gone: nothing waits for it', () => {
  const world = new World(3);
  world.startedAt = world.now;
  world.leave('edge-1').pass(10_000).apply(1, { rollout: STEPS });
  world.answer().pass(60_000);
  assert.equal(world.phase(), 'Baking');
  assert.equal(world.pass(120_000).phase(), 'Succeeded');
});

test('a restart while a step is sent does not take absence for an answer', () => {
  const world = begin().restart().pass(59_000);
  assert.equal(world.latest().stage, 'Applying');
  backAll(world).answer();
  assert.equal(world.latest().stage, 'Soaking');
});

test('a restart while going back does not take absence for a confirmation', () => {
  const world = begin().answer().act('abort').restart().decide();
  assert.equal(world.phase(), 'RollingBack');
  world.pass(30_000);
  assert.equal(world.phase(), 'RollingBack');
  backAll(world).answer();
  assert.equal(world.phase(), 'Aborted');
});

test('a refusal right after a restart still takes everything back', () => {
  const world = begin().restart();
  world.refuses.add(2);
  backAll(world).answer().answer();
  assert.equal(world.phase(), 'RolledBack');
});

test('a rollout does not begin before the nodes are back that were there when we stopped', () => {
  const world = begin().answer().act('abort').answer();
  world.restart().back('edge-1').apply(3, { rollout: STEPS });
  assert.equal(world.phase(), 'Aborted');
  world.pass(30_000);
  backAll(world);
  assert.equal(world.phase(), 'Progressing');
  assert.equal(world.moved().length, 2);
});

test('a rollout that begins after a restart waits a minute at most', () => {
  const world = begin().answer().act('abort').answer();
  world.restart().back('edge-1', 'edge-2', 'edge-3').apply(3, { rollout: STEPS }).pass(60_000);
  assert.equal(world.phase(), 'Progressing');
  for (const id of world.moved()) assert.ok(['edge-1', 'edge-2', 'edge-3'].includes(id));
});

test('a fleet that is not back is not taken for a fleet without nodes', () => {
  const world = begin().answer().act('abort').answer().restart().apply(3, { rollout: STEPS });
  world.pass(59_999);
  assert.equal(world.records.assignment?.base.revision, 1);
  assert.equal(world.phase(), 'Aborted');
});

test('an undo right after a restart waits for nobody', () => {
  const world = begin().answer().act('promote', { full: true }).answer().pass(120_000);
  assert.equal(world.phase(), 'Succeeded');
  world.restart().back('edge-1').act('undo');
  assert.equal(world.latest().kind, 'undo');
  assert.equal(world.wanted('edge-1'), 1);
  assert.equal(world.wanted('edge-2'), 1);
});

test('the timer is kept every five seconds while it runs', () => {
  const world = begin().answer();
  const kept: number[] = [];
  for (let n = 0; n < 12; n += 1) {
    world.pass(1_000);
    kept.push(world.latest().timer?.leftMs ?? 0);
  }
  assert.deepEqual([...new Set(kept)], [60_000, 55_000, 50_000]);
});

test('a clock that was set back does not stop a soak', () => {
  const world = begin().answer().pass(20_000);
  world.now -= 3_600_000;
  world.startedAt = world.now;
  world.decide().pass(39_999);
  assert.equal(world.latest().step, 0);
  assert.equal(world.pass(1).latest().step, 1);
});

test('a paused rollout wakes nobody', () => {
  const world = begin().answer().act('pause');
  assert.equal(world.wakeAt, null);
});

test('a first node that came after our start and is lost pauses its step, however young we are', () => {
  const world = new World(3);
  world.startedAt = world.now;
  world.apply(1, { rollout: { steps: [{ nodes: 1, soak: '1m' }] } }).leave(...world.moved());
  world.pass(10_000);
  assert.equal(world.phase(), 'Paused');
  assert.equal(world.latest().reason, 'Disconnected');
});

test('a node that was gone before the clock was set back holds nothing up', () => {
  const world = live();
  world.now += 7_200_000;
  world.apply(2, { rollout: { steps: [{ share: '50%', soak: '1m' }] } });
  const [first = '', ...others] = world.moved();
  world.leave(first).decide();
  world.now -= 3_600_000;
  world.decide().answer(...others);
  assert.equal(world.latest().stage, 'Soaking');
});
