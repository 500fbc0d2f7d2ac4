import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { live } from './live.ts';
import { makeVerdict } from './records.ts';
import { World } from './world.ts';

const TWO_STEPS: JsonObject = { steps: [{ nodes: 2, soak: '1m' }], bake: '2m' };

function begin(rollout: JsonObject = TWO_STEPS): World {
  return live().apply(2, { rollout });
}

/** Rollouts in every phase in which a refusal takes everything back. */
const UNDER_WAY: Readonly<Record<string, () => World>> = {
  applying: () => begin(),
  soaking: () => begin().answer(),
  'in the last step': () => begin().answer().pass(60_000),
  baking: () => begin().answer().pass(60_000).answer(),
  'paused by a person': () => begin().answer().act('pause'),
  'paused by a freeze': () => {
    const world = begin().answer();
    world.freeze = { by: 'admin', message: null, at: world.now };
    return world.decide();
  },
  'paused in the bake': () => begin().answer().pass(60_000).answer().act('pause'),
  'waiting between steps': () => begin({ steps: [{ nodes: 2, pause: '1h' }] }).answer(),
  'waiting for a person': () => begin({ steps: [{ nodes: 2, pause: 'human' }] }).answer(),
};

function refuse(world: World, id: string): World {
  const refused = { revision: 2, at: world.now };
  return world.verdict(id, makeVerdict({ node: id, accepted: 1, state: 'refused', refused })).decide();
}

for (const [when, reach] of Object.entries(UNDER_WAY))
  test(`a refusal ${when} takes everything back in one decision`, () => {
    const world = reach();
    const moved = world.moved();
    const [first = ''] = moved;
    refuse(world, first);
    const rollout = world.latest();
    assert.deepEqual(world.moved(), []);
    assert.equal(rollout.reason, 'Refused');
    assert.equal(rollout.failure?.kind, 'refusal');
    assert.equal(rollout.failure?.node, first);
    assert.equal(rollout.failure?.text, 'Unable to create Wasm plugin');
    assert.equal(
      rollout.why,
      `${first} refused revision 2: ${JSON.stringify('Unable to create Wasm plugin')}`,
    );
    assert.equal(world.records.assignment?.base.revision, 1);
    assert.equal(world.records.quarantine.get('content-2')?.cause, 'refused');
    assert.deepEqual(world.records.assignment?.held, { specRevision: 12, revision: 2 });
    world.freeze = undefined;
    world.answer();
    assert.equal(world.phase(), 'RolledBack');
    assert.equal(world.latest().back?.touched, moved.length);
    assert.equal(world.latest().back?.confirmed, moved.length);
    for (const id of moved) assert.equal(world.running(id), 1);
    assert.deepEqual(
      world.types().filter(type => type === 'rollout.rolling-back' || type === 'rollout.rolled-back'),
      ['rollout.rolling-back', 'rollout.rolled-back'],
    );
  });

test('refusals of several nodes are counted, the first one named', () => {
  const world = begin();
  for (const id of world.moved()) world.manners.set(id, 'refuses');
  const [first, second] = world.moved().toSorted();
  world.answer();
  assert.equal(world.latest().failure?.count, 2);
  assert.equal(
    world.latest().why,
    `2 nodes refused revision 2, first ${first}: "Unable to create Wasm plugin"`,
  );
  assert.equal(world.records.quarantine.get('content-2')?.text, `was refused by ${first} and 1 more`);
  assert.deepEqual(world.latest().failure?.nodes, [first, second]);
});

test('a refusal from before the rollout, of another revision or by a node that was not moved is none', () => {
  const world = begin();
  const [moved = ''] = world.moved();
  const other = [...world.fleet.keys()].find(id => !world.moved().includes(id)) ?? '';
  const say = (node: string, refused: { revision: number; at: number; plugin?: string }) =>
    world.verdict(node, makeVerdict({ node, accepted: 1, refused })).decide();
  say(moved, { revision: 2, at: world.now - 1 });
  say(moved, { revision: 1, at: world.now });
  say(moved, { revision: 2, at: world.now, plugin: 'default/other' });
  say(other, { revision: 2, at: world.now });
  assert.equal(world.phase(), 'Progressing');
});

test('a refusal is read also where the last good content is back already', () => {
  const world = begin();
  const [node = ''] = world.moved();
  world.verdict(node, makeVerdict({ node, accepted: 1, refused: { revision: 2, at: world.now } })).decide();
  assert.equal(world.phase(), 'RolledBack');
});

test('the first revision that is refused leaves the nodes without the plugin', () => {
  const world = new World(10).apply(1, { rollout: TWO_STEPS });
  world.refuses.add(1);
  world.answer().answer();
  assert.equal(world.phase(), 'RolledBack');
  for (const id of world.fleet.keys()) assert.equal(world.wanted(id), null);
});

test('onFailure freeze pauses, and nobody further is touched', () => {
  const world = begin({ ...TWO_STEPS, onFailure: 'freeze' });
  const [first = '', second] = world.moved();
  refuse(world, first);
  assert.equal(world.phase(), 'Paused');
  assert.equal(world.latest().reason, 'Failure');
  assert.equal(world.latest().failure?.kind, 'refusal');
  assert.deepEqual(world.moved(), [first, second]);
  assert.equal(world.records.quarantine.size, 0);
  world.join('edge-99').pass(86_400_000);
  assert.deepEqual(world.moved(), [first, second]);
});

test('what failed and was frozen goes on when a person resumes it, and fails anew for something new', () => {
  const world = begin({ ...TWO_STEPS, onFailure: 'freeze' });
  const [first = '', second = ''] = world.moved();
  refuse(world, first);
  world.pass(1_000).act('resume');
  assert.equal(world.phase(), 'Progressing');
  world.pass(1_000);
  refuse(world, second);
  assert.equal(world.latest().reason, 'Failure');
  world.act('abort').answer();
  assert.equal(world.phase(), 'Aborted');
  assert.deepEqual(world.moved(), []);
});

test('a failure while a step waits for a person leaves it waiting for one', () => {
  const steps = [{ nodes: 1, soak: '1m' }, { pause: 'human' }, { share: '100%' }];
  const world = begin({ steps, onFailure: 'freeze' }).answer().pass(60_000);
  assert.equal(world.latest().reason, 'Human');
  const moved = world.moved();
  refuse(world, moved[0] ?? '');
  assert.equal(world.latest().reason, 'Failure');
  world.pass(1_000).act('resume').pass(86_400_000);
  assert.deepEqual([world.phase(), world.latest().reason], ['Paused', 'Human']);
  assert.deepEqual(world.moved(), moved);
  world.act('promote');
  assert.equal(world.moved().length, world.fleet.size);
});

test('onFailure freeze at 100 % keeps the plugin off nodes that join', () => {
  const world = begin({ ...TWO_STEPS, onFailure: 'freeze' })
    .answer()
    .pass(60_000);
  refuse(world, 'edge-3');
  assert.equal(world.moved().length, 10);
  world.join('edge-99').decide();
  assert.equal(world.wanted('edge-99'), 1);
});

test('going back waits for every connected node, and tells how many have confirmed', () => {
  const world = begin().answer().pass(60_000).answer();
  world.manners.set('edge-4', 'silent');
  refuse(world, 'edge-3');
  assert.deepEqual(world.latest().back?.touched, 10);
  assert.equal(world.latest().back?.confirmed, 1);
  world.pass(2_000).answer();
  assert.equal(world.phase(), 'RollingBack');
  assert.deepEqual(world.latest().back?.missing, ['edge-4']);
  world.manners.delete('edge-4');
  world.pass(1_000).answer();
  assert.equal(world.phase(), 'RolledBack');
  assert.equal(world.latest().back?.tookMs, 3_000);
});

test('a node that does not confirm in ten minutes makes it incomplete, and is watched on', () => {
  const world = begin().answer();
  const [first = '', second = ''] = world.moved();
  world.manners.set(second, 'silent');
  refuse(world, first);
  world.answer().pass(599_999);
  assert.equal(world.phase(), 'RollingBack');
  world.pass(1);
  assert.equal(world.phase(), 'RollbackIncomplete');
  assert.deepEqual(world.latest().back?.missing, [second]);
  assert.ok(world.types().includes('rollout.rollback-incomplete'));
  world.pass(3_600_000);
  world.manners.delete(second);
  world.answer();
  assert.equal(world.phase(), 'RolledBack');
});

test('a node that is gone is not waited for', () => {
  const world = begin().answer();
  const [first = '', second = ''] = world.moved();
  world.manners.set(second, 'silent');
  refuse(world, first);
  world.answer().leave(second).pass(10_000);
  assert.equal(world.phase(), 'RolledBack');
  assert.equal(world.latest().back?.touched, 1);
});

test('something newer that waits cuts the wait for nodes that do not answer short', () => {
  const world = begin().answer();
  const [first = '', second = ''] = world.moved();
  world.manners.set(second, 'silent');
  refuse(world, first);
  world.answer().apply(3).pass(59_999);
  assert.equal(world.latest().phase, 'RollingBack');
  world.pass(1);
  assert.equal(world.records.rollouts.at(-2)?.phase, 'RollbackIncomplete');
  assert.equal(world.latest().to?.revision, 3);
  assert.equal(world.phase(), 'Progressing');
});

test('what a superseded rollout had moved goes back as well', () => {
  const world = begin()
    .answer()
    .apply(3, { rollout: { steps: [{ nodes: 1, soak: '1m' }] } });
  const moved = world.moved();
  const [entry] = world.records.assignment?.moved.slice(-1) ?? [];
  const [canary = ''] = entry?.nodes ?? [];
  world
    .verdict(canary, makeVerdict({ node: canary, accepted: 1, refused: { revision: 3, at: world.now } }))
    .decide();
  assert.deepEqual(world.moved(), []);
  world.answer();
  assert.equal(world.phase(), 'RolledBack');
  assert.equal(world.latest().back?.touched, moved.length);
  for (const id of moved) assert.equal(world.running(id), 1);
});

test('what a superseded rollout left and a node refuses now is taken off, and the new one goes on', () => {
  const world = begin();
  const [node = ''] = world.moved();
  world.apply(3, { rollout: { steps: [{ nodes: 1, soak: '1m' }] } });
  const left = world.moved().filter(id => world.wanted(id) === 2);
  assert.ok(left.length > 0);
  const [late = node] = left;
  world
    .verdict(late, makeVerdict({ node: late, accepted: 1, refused: { revision: 2, at: world.now } }))
    .decide();
  assert.equal(world.latest().to?.revision, 3);
  assert.equal(world.phase(), 'Progressing');
  for (const id of world.fleet.keys()) assert.notEqual(world.wanted(id), 2);
  assert.equal(world.records.quarantine.get('content-2')?.cause, 'refused');
  assert.ok(world.types().includes('rollout.dropped'));
});

test('a failed change of the selector quarantines nothing: what runs is proven', () => {
  const world = begin().answer().pass(60_000).answer().pass(120_000);
  assert.equal(world.phase(), 'Succeeded');
  world.join('other-1', { namespace: 'default', labels: { app: 'x' } }).decide();
  world.answer();
  world.apply(2, { selector: { matchLabels: { app: 'x' } } });
  assert.equal(world.latest().kind, 'placement');
  world.manners.set(world.moved()[0] ?? '', 'silent');
  world.answer().pass(600_000);
  assert.equal(world.latest().failure?.kind, 'deadline');
  assert.equal(world.records.quarantine.size, 0);
  assert.deepEqual(world.records.assignment?.held, { specRevision: 13, revision: 2 });
  assert.deepEqual(world.records.assignment?.base.placement, {});
});

test('what failed, was frozen and is superseded is held back', () => {
  const world = begin({ ...TWO_STEPS, onFailure: 'freeze' });
  refuse(world, world.moved()[0] ?? '');
  world.pass(1_000).apply(3, { rollout: TWO_STEPS });
  assert.equal(world.latest().to?.revision, 3);
  assert.equal(world.records.quarantine.get('content-2')?.cause, 'refused');
  for (const id of world.fleet.keys()) assert.notEqual(world.wanted(id), 2);
});
