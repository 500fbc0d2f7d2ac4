import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { live } from './live.ts';
import { makeRevision, makeVerdict } from './records.ts';
import { World } from './world.ts';

const STEPS: { readonly rollout: JsonObject } = {
  rollout: {
    steps: [
      { nodes: 1, soak: '30s' },
      { share: '50%', soak: '1m' },
    ],
    bake: '2m',
    maxDisconnected: '20%',
  },
};

/** Ten nodes; revision 1 is live everywhere, revision 2 was just applied. */
function begin(fields = STEPS): World {
  const world = live();
  assert.equal(world.phase(), 'Succeeded');
  return world.apply(2, fields);
}

test('a rollout sends the first step to one connected node and keeps all others as they are', () => {
  const world = begin();
  assert.equal(world.phase(), 'Progressing');
  assert.equal(world.latest().stage, 'Applying');
  assert.equal(world.moved().length, 1);
  assert.deepEqual(world.types(), ['rollout.started', 'rollout.step.started']);
});

test('a step soaks once all of its nodes accepted it', () => {
  const world = begin();
  world.pass(10_000);
  assert.equal(world.latest().stage, 'Applying');
  world.answer();
  assert.equal(world.latest().stage, 'Soaking');
  assert.equal(world.latest().steps[0]?.appliedMs, 10_000);
  assert.equal(world.latest().timer?.leftMs, 30_000);
});

test('a soak that is over leads to the next step, and the last step to the bake without a soak', () => {
  const world = begin().answer().pass(29_999);
  assert.equal(world.moved().length, 1);
  world.pass(1);
  assert.equal(world.latest().step, 1);
  assert.equal(world.moved().length, 5);
  world.answer().pass(60_000);
  assert.equal(world.moved().length, 10);
  assert.equal(world.records.assignment?.moved[0]?.nodes, 'everyone');
  assert.equal(world.phase(), 'Progressing');
  world.answer();
  assert.equal(world.phase(), 'Baking');
  assert.deepEqual(
    world.latest().steps.map(({ state }) => state),
    ['passed', 'passed', 'passed'],
  );
});

test('a bake that is over makes what was rolled out the base', () => {
  const world = begin().answer().pass(30_000).answer().pass(60_000).answer().pass(119_999);
  assert.equal(world.phase(), 'Baking');
  world.pass(1);
  assert.equal(world.phase(), 'Succeeded');
  const { assignment } = world.records;
  assert.equal(assignment?.base.revision, 2);
  assert.deepEqual(assignment?.moved, []);
  assert.equal(world.wakeAt, null);
  assert.equal(world.latest().why, '10 of 10 nodes run revision 2');
  assert.equal(world.types().at(-1), 'rollout.succeeded');
});

test('the very first revision goes through the same steps, from none', () => {
  const world = new World(10).apply(1, STEPS);
  assert.equal(world.latest().kind, 'install');
  assert.equal(world.moved().length, 1);
  assert.equal(world.records.assignment?.base.revision, null);
});

test('a timed pause is waited for before its step, and nobody is moved meanwhile', () => {
  const world = begin({ rollout: { steps: [{ nodes: 1, pause: '1m' }] } });
  world.answer();
  assert.equal(world.phase(), 'Progressing');
  assert.equal(world.latest().stage, 'Waiting');
  world.pass(59_999);
  assert.equal(world.moved().length, 1);
  world.pass(1);
  assert.equal(world.moved().length, 10);
});

test('a pause for a person waits for ever, and resume begins the step', () => {
  const world = begin({ rollout: { steps: [{ nodes: 1, pause: 'human' }] } });
  world.answer();
  assert.equal(world.phase(), 'Paused');
  assert.equal(world.latest().reason, 'Human');
  assert.equal(world.wakeAt, null);
  world.pass(86_400_000);
  assert.equal(world.moved().length, 1);
  world.act('resume');
  assert.equal(world.phase(), 'Progressing');
  assert.equal(world.moved().length, 10);
});

test('without a connected target the side is live at once', () => {
  const world = new World(2).leave('edge-1', 'edge-2');
  world.now += 3_600_000;
  world.apply(1);
  assert.equal(world.phase(), 'Succeeded');
  assert.equal(world.latest().reason, 'NoNodes');
  assert.equal(world.records.assignment?.base.revision, 1);
});

test('without any node the side is live at once', () => {
  const world = new World().apply(1);
  assert.equal(world.latest().reason, 'NoNodes');
  assert.equal(world.join('edge-1').decide().wanted('edge-1'), 1);
});

test('connected nodes rank before those that are gone', () => {
  for (let n = 0; n < 20; n += 1) {
    const ids = Array.from({ length: 12 }, (_, i) => `node-${n}-${i}`);
    const world = new World(ids).leave(...ids.slice(0, 6));
    world.now += 60_000;
    world.apply(1, STEPS);
    assert.ok(ids.slice(6).includes(world.moved()[0] ?? ''));
  }
});

test('a node that has been gone before the rollout neither holds it up nor counts', () => {
  const world = new World(3).leave('edge-1', 'edge-2');
  world.now += 60_000;
  world.apply(1, { preset: 'all-at-once' }).answer();
  assert.equal(world.phase(), 'Baking');
  world.pass(600_000);
  assert.equal(
    world.latest().why,
    '1 of 1 connected node runs revision 1; edge-1, edge-2 are gone and get it when they return',
  );
});

test('a node that goes while it is asked is waited for a moment, then left out', () => {
  const world = new World(10).apply(1, { rollout: { preset: 'all-at-once' } });
  world.answer('edge-1', 'edge-2', 'edge-3', 'edge-4', 'edge-5', 'edge-6', 'edge-7', 'edge-8', 'edge-9');
  world.leave('edge-10').decide();
  world.pass(9_999);
  assert.equal(world.phase(), 'Progressing');
  world.pass(1);
  assert.equal(world.phase(), 'Baking');
});

test('too many lost nodes of a step pause it, and a person goes on', () => {
  const world = begin().answer();
  const [canary = ''] = world.moved();
  world.leave(canary).pass(10_000);
  assert.equal(world.phase(), 'Paused');
  assert.equal(world.latest().reason, 'Disconnected');
  assert.match(world.latest().why ?? '', /^edge-\d+ is gone: 1 of 1 node, more than the 20 % that may be$/);
  assert.equal(world.wakeAt, null);
  world.back(canary).decide();
  assert.equal(world.phase(), 'Paused');
  world.act('resume');
  assert.equal(world.phase(), 'Progressing');
  world.leave(canary).pass(10_000);
  assert.equal(world.latest().reason, 'Disconnected');
});

test('what was lost before a person resumed is not held against it again', () => {
  const world = begin().answer();
  world.leave(...world.moved()).pass(10_000);
  world.act('resume').pass(1_000);
  assert.equal(world.phase(), 'Progressing');
  assert.equal(world.pass(30_000).latest().step, 1);
});

test('a node that is lost in the bake pauses it when they are too many', () => {
  const world = begin().answer().pass(30_000).answer().pass(60_000).answer();
  assert.equal(world.phase(), 'Baking');
  world.leave('edge-1', 'edge-2').pass(10_000);
  assert.equal(world.phase(), 'Baking');
  world.leave('edge-3').pass(10_000);
  assert.equal(world.phase(), 'Paused');
  assert.equal(world.latest().pausedFrom, 'Baking');
  world.back('edge-1', 'edge-2', 'edge-3').act('resume').pass(120_000);
  assert.equal(world.phase(), 'Succeeded');
});

test('the progress deadline takes everything back, and quarantines', () => {
  const world = begin();
  const [canary = ''] = world.moved();
  world.manners.set(canary, 'silent');
  world.answer().pass(599_999);
  assert.equal(world.phase(), 'Progressing');
  world.pass(1);
  assert.equal(world.latest().failure?.kind, 'deadline');
  assert.equal(world.phase(), 'RollingBack');
  assert.deepEqual(world.moved(), []);
  assert.equal(world.records.quarantine.get('content-2')?.cause, 'failed');
});

test('a module that did not reach its nodes by the deadline goes back without quarantine', () => {
  const world = begin();
  const [canary = ''] = world.moved();
  world.manners.set(canary, 'fetching');
  world.answer().pass(600_000);
  assert.equal(world.latest().failure?.kind, 'unreachable');
  assert.equal(world.latest().reason, 'Unreachable');
  assert.equal(world.records.quarantine.size, 0);
  assert.deepEqual(world.records.assignment?.held, { specRevision: 12, revision: 2 });
});

test('soaks and pauses do not count against the progress deadline', () => {
  const world = begin();
  world.pass(300_000).act('pause').pass(86_400_000).act('resume').pass(299_999);
  assert.equal(world.phase(), 'Progressing');
  world.pass(1);
  assert.equal(world.latest().failure?.kind, 'deadline');
});

test('who promotes over a canary that does not answer is not told that it succeeded', () => {
  const world = begin();
  const [first = ''] = world.moved();
  world.manners.set(first, 'silent');
  world.answer().pass(5_000).act('promote', { full: true }).answer().pass(60_000);
  assert.equal(world.latest().stage, 'Applying');
  world.pass(540_000);
  assert.equal(world.phase(), 'RollingBack');
  assert.equal(world.latest().why, `${first} did not take revision 2 within 10m 0s`);
});

/** All but one node have taken it, the bake has begun, and the one is back. */
function withLateNode(): { readonly world: World; readonly late: string } {
  const world = live().apply(2, { rollout: { steps: [{ share: '100%' }], bake: '2m' } });
  const [late = '', ...others] = world.moved();
  world
    .leave(late)
    .pass(11_000)
    .answer(...others);
  assert.equal(world.phase(), 'Baking');
  world.manners.set(late, 'silent');
  world.back(late).pass(120_000);
  return { world, late };
}

test('a bake that is over waits for a node that came back and has not answered', () => {
  const { world, late } = withLateNode();
  assert.equal(world.phase(), 'Baking');
  assert.equal(world.latest().why, `the bake is over; waiting for ${late} to answer`);
  world.manners.set(late, 'takes');
  world.answer();
  assert.equal(world.phase(), 'Succeeded');
  assert.equal(world.latest().why, '10 of 10 nodes run revision 2');
});

test('a node that came back goes again: nothing waits for it any more', () => {
  const { world, late } = withLateNode();
  world.leave(late).pass(11_000);
  assert.equal(world.phase(), 'Succeeded');
  assert.match(world.latest().why ?? '', /^9 of 9 connected nodes run revision 2; edge-\d+ is gone/);
});

test('a node that came back and refuses takes it back, also when the bake is over', () => {
  const { world, late } = withLateNode();
  world.manners.set(late, 'refuses');
  world.answer();
  assert.equal(world.phase(), 'RollingBack');
});

test('a node that came back has its own time to answer', () => {
  const { world, late } = withLateNode();
  world.pass(479_999);
  assert.equal(world.phase(), 'Baking');
  world.leave(late).pass(1_000).back(late).pass(599_999);
  assert.equal(world.phase(), 'Baking');
  world.pass(1);
  assert.equal(world.phase(), 'RollingBack');
  assert.equal(world.latest().reason, 'Deadline');
});

test('a bake that a person ends says who did not answer', () => {
  const { world, late } = withLateNode();
  world.act('pause').act('promote');
  assert.equal(world.phase(), 'Succeeded');
  assert.equal(world.latest().hint, `${late} did not confirm yet; it goes on being tried`);
});

test('a plugin that no node has a place for is not proven, and says so', () => {
  const world = new World(4);
  const { config, ...revision } = makeRevision(1);
  world.revisions.set(1, { ...revision, config: { ...config, match: [{ ports: [8443], mode: 'SERVER' }] } });
  world.document({ preset: 'all-at-once' }).module({ state: 'ready', revision: 1 });
  world.pass(700_000);
  assert.equal(world.phase(), 'Succeeded');
  assert.equal(world.latest().reason, 'NoNodes');
  assert.match(world.latest().hint ?? '', /^No node has a place for it/);
});

test('a canary that came back and has not answered keeps the next step from being sent', () => {
  const world = begin({ rollout: { ...STEPS.rollout, maxDisconnected: '100%' } }).answer();
  const [first = ''] = world.moved();
  world.leave(first).pass(20_000);
  world.manners.set(first, 'silent');
  world
    .verdict(first, makeVerdict({ node: first, accepted: 1 }))
    .back(first)
    .pass(60_000);
  assert.equal(world.latest().stage, 'Soaking');
  assert.equal(world.latest().why, `the soak is over; waiting for ${first} to answer`);
  assert.equal(world.moved().length, 1);
  world.manners.set(first, 'takes');
  world.answer();
  assert.equal(world.moved().length, 5);
  assert.equal(world.latest().why, undefined);
});
