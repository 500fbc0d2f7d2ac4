import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import type { RolloutPhase } from '../../src/model/rollout.ts';
import { isLegal, ROLLOUT_ACTIONS, type RolloutAction } from '../../src/model/rollout-intent.ts';
import { live } from './live.ts';
import { World } from './world.ts';

const STEPS: JsonObject = {
  steps: [
    { nodes: 1, soak: '1m' },
    { share: '50%', soak: '1m' },
  ],
  bake: '2m',
};

function begin(rollout: JsonObject = STEPS): World {
  return live().apply(2, { rollout });
}

function baking(): World {
  return begin().answer().pass(60_000).answer().pass(60_000).answer();
}

/** A rollout in each phase. */
const IN_PHASE: Readonly<Record<RolloutPhase, () => World>> = {
  Validating: () =>
    live().document().module({ state: 'retrying', code: 'registry-timeout', message: 'no answer' }),
  NotStarted: () => live().document().module({ state: 'failed', code: 'not-found', message: 'no such tag' }),
  Progressing: () => begin().answer(),
  Paused: () => begin().answer().act('pause'),
  Baking: baking,
  RollingBack: () => {
    const world = begin().answer();
    world.manners.set(world.moved()[0] ?? '', 'silent');
    return world.act('abort');
  },
  RollbackIncomplete: () => IN_PHASE.RollingBack().answer().pass(600_000),
  RolledBack: () => {
    const world = begin();
    world.refuses.add(2);
    return world.answer().answer();
  },
  Aborted: () => begin().answer().act('abort').answer(),
  Superseded: () => begin().answer().apply(3),
  Succeeded: () => baking().pass(120_000),
  Reverted: () => baking().pass(120_000).act('undo').answer(),
};

/** What an action that is allowed leads to at once. */
const LEADS_TO: Readonly<Partial<Record<`${RolloutAction} ${RolloutPhase}`, RolloutPhase>>> = {
  'pause Progressing': 'Paused',
  'pause Baking': 'Paused',
  'resume Paused': 'Progressing',
  'promote Paused': 'Progressing',
  'promote Progressing': 'Progressing',
  'abort Validating': 'Aborted',
  'abort Progressing': 'RollingBack',
  'abort Paused': 'RollingBack',
  'abort Baking': 'RollingBack',
  'retry RolledBack': 'Progressing',
  'retry Aborted': 'Progressing',
  'retry RollbackIncomplete': 'Progressing',
  'retry Reverted': 'Progressing',
  'undo Validating': 'Aborted',
  'undo Progressing': 'RollingBack',
  'undo Paused': 'RollingBack',
  'undo Baking': 'RollingBack',
  'undo RollingBack': 'RollingBack',
  'undo Succeeded': 'Progressing',
};

for (const [phase, reach] of Object.entries(IN_PHASE) as [RolloutPhase, () => World][])
  test(`a rollout that is ${phase} takes in what is allowed, and nothing else`, () => {
    for (const action of ROLLOUT_ACTIONS) {
      const world = reach();
      const meant = world.records.rollouts.findLast(rollout => rollout.phase === phase);
      assert.ok(meant, `no rollout is ${phase}`);
      const before = world.records;
      world.act(action, { rollout: meant.id });
      const { intent } = world.latest();
      assert.equal(intent?.id, world.intent?.id, `${action} was taken in`);
      // An undo is about the plugin, whichever rollout it names.
      if (!isLegal(action, phase)) {
        assert.equal(intent?.outcome, 'too-late', `${action} ${phase}`);
        assert.deepEqual(world.records.assignment, before.assignment);
        assert.equal(world.phase(), before.rollouts.at(-1)?.phase);
        continue;
      }
      const expected = LEADS_TO[`${action} ${phase}`];
      if (expected !== undefined) assert.equal(world.phase(), expected, `${action} ${phase}`);
    }
  });

test('pause stops clock and steps; resume goes on with what was left', () => {
  const world = begin().answer().pass(20_000).act('pause', { message: 'wait' });
  assert.equal(world.latest().reason, 'Person');
  assert.equal(world.latest().why, 'by admin: "wait"');
  assert.equal(world.latest().timer?.leftMs, 40_000);
  assert.equal(world.wakeAt, null);
  world.pass(3_600_000).act('resume').pass(39_999);
  assert.equal(world.moved().length, 1);
  world.pass(1);
  assert.equal(world.moved().length, 5);
});

test('a paused bake goes on baking', () => {
  const world = baking().pass(60_000).act('pause').pass(3_600_000).act('resume');
  assert.equal(world.phase(), 'Baking');
  world.pass(59_999);
  assert.equal(world.phase(), 'Baking');
  assert.equal(world.pass(1).phase(), 'Succeeded');
});

test('promote ends a soak', () => {
  const world = begin().answer().pass(1_000).act('promote');
  assert.equal(world.latest().step, 1);
  assert.equal(world.moved().length, 5);
});

test('promote while a step is sent leaves its soak out, not its answers', () => {
  const world = begin().act('promote');
  assert.equal(world.latest().stage, 'Applying');
  assert.equal(world.moved().length, 1);
  world.answer();
  assert.equal(world.latest().step, 1);
});

test('promote ends a timed pause, and one for a person', () => {
  for (const pause of ['1h', 'human']) {
    const world = begin({ steps: [{ nodes: 1, pause }] }).answer();
    assert.equal(world.latest().stage, 'Waiting');
    assert.equal(world.act('promote').moved().length, 10);
  }
});

test('promote of a paused bake ends it', () => {
  assert.equal(baking().act('pause').act('promote').phase(), 'Succeeded');
});

test('promote full skips every further step, and the bake follows', () => {
  const world = begin().answer().act('promote', { full: true });
  assert.equal(world.moved().length, 10);
  assert.deepEqual(
    world.latest().steps.map(({ state }) => state),
    ['passed', 'skipped', 'active'],
  );
  assert.equal(world.answer().phase(), 'Baking');
});

test('a refusal after promote full still takes everything back', () => {
  const world = begin().answer().act('promote', { full: true });
  world.refuses.add(2);
  world.answer().answer();
  assert.equal(world.phase(), 'RolledBack');
  assert.deepEqual(world.moved(), []);
});

test('abort takes everything back, holds it and says who', () => {
  const world = begin().answer().act('abort', { message: 'wrong day', by: 'lea' });
  assert.equal(world.phase(), 'RollingBack');
  world.answer();
  assert.equal(world.phase(), 'Aborted');
  assert.equal(world.latest().why, 'aborted by lea: "wrong day"');
  assert.equal(world.records.quarantine.get('content-2')?.cause, 'aborted');
  world.apply(2, { rollout: STEPS });
  assert.equal(world.records.rollouts.length, 2);
  assert.equal(world.types().at(-1), 'rollout.held-back');
});

test('abort with freeze leaves the nodes as they are, and those that join on the old side', () => {
  const world = begin().answer().act('promote', { full: true }).answer().act('abort', { freeze: true });
  assert.equal(world.phase(), 'Aborted');
  assert.equal(world.moved().length, 10);
  world.join('edge-99').pass(3_600_000);
  assert.equal(world.wanted('edge-99'), 1);
  assert.equal(world.phase(), 'Aborted');
  assert.equal(world.records.rollouts.length, 2);
});

test('undo after an abort with freeze takes the nodes back', () => {
  const world = begin().answer().act('abort', { freeze: true }).act('undo');
  assert.equal(world.latest().kind, 'undo');
  for (const id of world.fleet.keys()) assert.equal(world.wanted(id), 1);
  world.answer();
  assert.equal(world.phase(), 'Succeeded');
  assert.deepEqual(world.records.assignment?.moved, []);
});

test('abort before there is a module keeps the document from starting later', () => {
  const world = IN_PHASE.Validating().act('abort');
  assert.equal(world.phase(), 'Aborted');
  world.module({ state: 'retrying', message: 'again' });
  world.progress = {
    plugin: 'default/auth',
    specRevision: world.spec?.revision ?? 0,
    state: 'ready',
    revision: 1,
    since: 1,
  };
  world.decide();
  assert.equal(world.records.rollouts.length, 2);
});

test('retry lifts what is held back and starts from the first step', () => {
  const world = IN_PHASE.RolledBack();
  world.refuses.clear();
  world.pass(1_000).act('retry', { message: 'mount is back' });
  assert.equal(world.phase(), 'Progressing');
  assert.equal(world.latest().number, 3);
  assert.equal(world.latest().step, 0);
  assert.equal(world.records.quarantine.size, 0);
  assert.equal(world.records.assignment?.held, undefined);
  assert.equal(world.latest().intent?.id, world.intent?.id);
  world.answer();
  assert.equal(world.latest().stage, 'Soaking');
});

test('what was undone is rolled out again by retry of the rollout that was undone', () => {
  const world = IN_PHASE.Reverted();
  const undone = world.records.rollouts.find(({ phase }) => phase === 'Reverted');
  world.act('retry', { rollout: undone?.id ?? null });
  assert.equal(world.phase(), 'Progressing');
  assert.equal(world.latest().to?.revision, 2);
});

test('an intent that names a rollout that is over comes too late', () => {
  const world = begin().answer().act('pause', { rollout: 'default.auth.1' });
  assert.equal(world.latest().intent?.outcome, 'too-late');
  assert.equal(world.phase(), 'Progressing');
});

test('an intent is taken in once, also by the rollouts that follow', () => {
  const world = begin().answer().act('abort').answer().apply(3);
  assert.equal(world.phase(), 'Progressing');
  assert.equal(world.latest().intent?.id, world.intent?.id);
});

test('an intent that is older than the plugin is not taken for its first rollout', () => {
  const world = new World(3);
  world.intent = {
    id: 7,
    plugin: 'default/auth',
    rollout: 'default.auth.1',
    action: 'abort',
    by: 'admin',
    at: 1,
  };
  world.apply(1);
  assert.equal(world.phase(), 'Progressing');
});

test('abort with freeze keeps a node that was gone when it was moved on the old side', () => {
  const world = begin().answer();
  world.leave('edge-9', 'edge-10').act('promote', { full: true });
  assert.equal(world.wanted('edge-9'), 2);
  world.answer().act('abort', { freeze: true });
  assert.equal(world.wanted('edge-1'), 2);
  assert.equal(world.back('edge-9').decide().wanted('edge-9'), 1);
});

test('a rollout that is tried again says who wanted that, and why; the next one does not', () => {
  const world = IN_PHASE.RolledBack();
  world.refuses.clear();
  world.pass(1_000).act('retry', { message: 'mount is back', by: 'lea' });
  assert.deepEqual([world.latest().by, world.latest().note], ['lea', 'mount is back']);
  world.pass(1_000).apply(3, { by: 'ci', message: 'auth 1.7' });
  assert.deepEqual([world.latest().by, world.latest().note], ['ci', 'auth 1.7']);
});
