/** Random stories of one plugin: whatever happens in whatever order, these hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findSide } from '../../src/model/assignment.ts';
import { isActive } from '../../src/model/rollout.ts';
import { ROLLOUT_ACTIONS } from '../../src/model/rollout-intent.ts';
import { decideRollout } from '../../src/rollout/decide-rollout.ts';
import { type Manner, World } from '../rollout/world.ts';

type Doing =
  | {
      readonly kind: 'apply';
      readonly revision: number;
      readonly preset: string | undefined;
      readonly app: boolean;
    }
  | { readonly kind: 'delete' | 'unusable' | 'restart' | 'answer' | 'format' | 'freeze' }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'act'; readonly action: (typeof ROLLOUT_ACTIONS)[number]; readonly flag: boolean }
  | { readonly kind: 'leave' | 'back' | 'exclude' | 'include' | 'join'; readonly node: number }
  | { readonly kind: 'manner'; readonly node: number; readonly manner: Manner };

const node = fc.integer({ min: 1, max: 12 });
const doing: fc.Arbitrary<Doing> = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ kind: 'answer' } as const) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('pass' as const),
      ms: fc.constantFrom(500, 5_000, 31_000, 120_000, 700_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('apply' as const),
      revision: fc.integer({ min: 1, max: 4 }),
      preset: fc.constantFrom(undefined, 'fast', 'all-at-once', 'cautious'),
      app: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'delete' as const,
        'unusable' as const,
        'restart' as const,
        'format' as const,
        'freeze' as const,
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('act' as const),
      action: fc.constantFrom(...ROLLOUT_ACTIONS),
      flag: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'leave' as const,
        'back' as const,
        'exclude' as const,
        'include' as const,
        'join' as const,
      ),
      node,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('manner' as const),
      node,
      manner: fc.constantFrom<Manner>('takes', 'refuses', 'silent', 'fetching'),
    }),
  },
);

function perform(world: World, step: Doing): void {
  const id = 'node' in step ? `edge-${step.node}` : '';
  switch (step.kind) {
    case 'apply':
      world.apply(step.revision, {
        ...(step.preset === undefined ? {} : { preset: step.preset }),
        ...(step.app ? { selector: { matchLabels: { app: 'x' } } } : {}),
      });
      return;
    case 'delete':
      world.document({ deleted: { at: world.now, by: 'admin', now: false } }).decide();
      return;
    case 'unusable':
      world.document().module({ state: 'retrying', message: 'no answer' });
      return;
    case 'restart':
      world.restart(10_000).decide();
      return;
    case 'answer':
      world.answer();
      return;
    case 'format':
      world.format += 1;
      world.decide();
      return;
    case 'freeze':
      world.freeze = world.freeze === undefined ? { by: 'admin', message: null, at: world.now } : undefined;
      world.decide();
      return;
    case 'pass':
      world.pass(step.ms);
      return;
    case 'act':
      if (world.records.rollouts.length > 0)
        world.act(step.action, step.flag ? { full: true, freeze: true } : {});
      return;
    case 'leave':
      if (world.fleet.get(id)?.presence.connected === true) world.leave(id).decide();
      return;
    case 'back':
      if (world.fleet.get(id)?.presence.connected === false) world.back(id).decide();
      return;
    case 'join':
      if (!world.fleet.has(id)) world.join(id, step.node % 2 === 0 ? { labels: { app: 'x' } } : {}).decide();
      return;
    case 'exclude':
      world.excluded.add(id);
      world.decide();
      return;
    case 'include':
      world.excluded.delete(id);
      world.decide();
      return;
    case 'manner':
      world.manners.set(id, step.manner);
      return;
    default:
      step satisfies never;
  }
}

const stories = fc.array(doing, { minLength: 5, maxLength: 60 });

const PROVEN = new World();
for (let n = 1; n <= 8; n += 1) PROVEN.join(`edge-${n}`, n % 2 === 0 ? { labels: { app: 'x' } } : {});
PROVEN.apply(1, { preset: 'all-at-once' }).answer().pass(600_000);

/** Hold after everything that happens. `before`: the records as they were before it. */
const INVARIANTS: Readonly<Record<string, (world: World, before: World['records']) => void>> = {
  'at most one rollout is active, and it is the newest; numbers only rise': ({ records: { rollouts } }) => {
    for (const rollout of rollouts.slice(0, -1)) assert.ok(!isActive(rollout), rollout.phase);
    for (const [index, { number }] of rollouts.entries())
      if (index > 0) assert.ok(number > (rollouts[index - 1]?.number ?? 0));
  },
  'what an active rollout has moved only grows, but for nodes that a person takes out': (world, before) => {
    const latest = world.records.rollouts.at(-1);
    const entry = (records: World['records']) =>
      records.assignment?.moved.find(({ rollout }) => rollout === latest?.id);
    const [was, is] = [entry(before), entry(world.records)];
    if (was === undefined || is === undefined || is.nodes === 'everyone') return;
    // Stopped where it was: those that had taken it stay.
    if (was.nodes === 'everyone' || latest?.reason === 'Failure' || latest?.phase === 'Aborted') return;
    for (const id of was.nodes) assert.ok(is.nodes.includes(id) || world.excluded.has(id), id);
  },
  'nobody is moved beyond the step that was reached, joined nodes apart': world => {
    const { records } = world;
    const latest = records.rollouts.at(-1);
    const entry = records.assignment?.moved.find(({ rollout }) => rollout === latest?.id);
    if (latest === undefined || entry === undefined || entry.nodes === 'everyone') return;
    const reaches = latest.steps[latest.step]?.reaches ?? 0;
    const order = records.nodes?.order.flat() ?? [];
    const known = entry.nodes.filter(id => order.includes(id));
    assert.ok(known.length <= reaches, `${known.length} of ${reaches}`);
  },
  'excluded nodes run what was proven': world => {
    const { assignment } = world.records;
    if (assignment === undefined) return;
    for (const id of world.excluded) assert.equal(findSide(assignment, id), assignment.base);
  },
  'an ended rollout has no clock, and a stage only while it is active': ({ records: { rollouts } }) => {
    for (const rollout of rollouts.filter(one => !isActive(one))) {
      assert.equal(rollout.timer, null, rollout.phase);
      assert.equal(rollout.stage, null);
      assert.ok(rollout.endedAt !== undefined, rollout.phase);
    }
  },
  'after going back no node is to run what failed': world => {
    const latest = world.records.rollouts.at(-1);
    if (latest?.phase !== 'RolledBack' && latest?.phase !== 'RollingBack') return;
    assert.deepEqual(world.records.assignment?.moved, []);
  },
  'a revision that is held back does not start, whatever the selector': (world, before) => {
    const latest = world.records.rollouts.at(-1);
    const isNew = latest !== undefined && latest.number > (before.rollouts.at(-1)?.number ?? 0);
    if (!isNew || latest.phase !== 'Progressing' || latest.kind === 'undo') return;
    assert.ok(!world.records.quarantine.has(`content-${latest.to?.revision}`) || latest.kind === 'format');
  },
  'nothing new starts while all is frozen but an undo': (world, before) => {
    const latest = world.records.rollouts.at(-1);
    if (world.freeze === undefined || latest === undefined) return;
    if (latest.number === before.rollouts.at(-1)?.number) return;
    assert.ok(latest.kind === 'undo' || latest.phase !== 'Progressing', latest.kind);
  },
};

test('whatever happens, the rules of rollouts hold', () => {
  fc.assert(
    fc.property(stories, story => {
      const world = PROVEN.copy();
      for (const step of story) {
        const before = world.records;
        perform(world, step);
        for (const [rule, holds] of Object.entries(INVARIANTS))
          try {
            holds(world, before);
          } catch (cause) {
            throw new Error(`not so: ${rule}`, { cause });
          }
      }
    }),
    { numRuns: 80 },
  );
});

test('a restart changes neither step nor nodes', () => {
  fc.assert(
    fc.property(stories, story => {
      const world = PROVEN.copy();
      for (const step of story) perform(world, step);
      const before = { moved: world.moved(), latest: world.latest() };
      world.restart(3_600_000).decide();
      assert.deepEqual(world.moved(), before.moved);
      assert.equal(world.latest().step, before.latest.step);
      assert.equal(world.latest().stage, before.latest.stage);
      assert.equal(world.phase(), before.latest.phase);
    }),
    { numRuns: 30 },
  );
});

test('equal facts give equal decisions', () => {
  fc.assert(
    fc.property(stories, story => {
      const world = PROVEN.copy();
      for (const step of story) perform(world, step);
      world.now += 1_000;
      const [first, second] = [decideRollout(world.facts()), decideRollout(toReversed(world))];
      assert.deepEqual(first, second);
    }),
    { numRuns: 25 },
  );
});

/** The same facts with their nodes in another order. */
function toReversed(world: World): ReturnType<World['facts']> {
  return { ...world.facts(), fleet: new Map([...world.fleet].reverse()) };
}

test('a fleet that answers comes to rest', () => {
  fc.assert(
    fc.property(stories, story => {
      const world = PROVEN.copy();
      for (const step of story) perform(world, step);
      world.freeze = undefined;
      world.manners.clear();
      world.refuses.clear();
      for (const id of world.fleet.keys())
        if (world.fleet.get(id)?.presence.connected === false) world.back(id);
      for (let n = 0; n < 40; n += 1) {
        world.answer().pass(700_000);
        if (world.phase() === 'Paused') world.act('promote');
      }
      assert.ok(!isActive(world.latest()) || world.phase() === 'Validating', world.phase());
      assert.notEqual(world.phase(), 'RollbackIncomplete');
    }),
    { numRuns: 25 },
  );
});
