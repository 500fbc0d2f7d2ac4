import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { live } from './live.ts';
import { makeReady, makeRevision, PLUGIN } from './records.ts';
import { World } from './world.ts';

const STEPS: JsonObject = {
  steps: [
    { nodes: 1, soak: '1m' },
    { share: '50%', soak: '1m' },
  ],
  bake: '2m',
};

test('there is no rollout while a module is being resolved', () => {
  const world = live().document().module({ state: 'resolving' });
  assert.equal(world.records.rollouts.length, 1);
  world.document().decide();
  assert.equal(world.records.rollouts.length, 1);
});

test('a module that cannot be fetched now is told by a rollout that waits, with code and next step', () => {
  const world = live().document({ by: 'ci', message: 'auth 1.6' });
  world.module({ state: 'retrying', code: 'registry-timeout', message: 'no answer', hint: 'push it' });
  const { phase, reason, why, hint, code, by, note, to, id } = world.latest();
  assert.deepEqual(
    { phase, reason, why, hint, code, by, note, to, id },
    {
      phase: 'Validating',
      reason: 'ModuleUnavailable',
      why: 'no answer',
      hint: 'push it',
      code: 'registry-timeout',
      by: 'ci',
      note: 'auth 1.6',
      to: null,
      id: 'default.auth.2',
    },
  );
  assert.deepEqual(world.moved(), []);
});

test('a rollout that waited for its module goes on under its number', () => {
  const world = live().document({ rollout: STEPS }).module({ state: 'retrying', message: 'no answer' });
  world.module({ state: 'resolving' });
  assert.equal(world.phase(), 'Validating');
  world.revisions.set(2, makeRevision(2));
  world.module({ state: 'ready', revision: 2 });
  assert.equal(world.phase(), 'Progressing');
  assert.equal(world.latest().id, 'default.auth.2');
  assert.equal(world.latest().why, undefined);
  assert.equal(world.moved().length, 1);
});

test('a module that is not usable ends before any node', () => {
  const world = live().document().module({ state: 'failed', code: 'not-found', message: 'no such tag' });
  assert.equal(world.phase(), 'NotStarted');
  assert.equal(world.latest().code, 'not-found');
  assert.equal(world.records.assignment?.base.revision, 1);
  assert.deepEqual(world.types(), ['rollout.not-started']);
});

test('a newer document supersedes one that waits for its module', () => {
  const world = live().document().module({ state: 'retrying', message: 'no answer' });
  world.apply(2, { rollout: STEPS });
  assert.deepEqual(
    world.records.rollouts.map(({ phase }) => phase),
    ['Succeeded', 'Superseded', 'Progressing'],
  );
  world.document().module({ state: 'failed', message: 'none' });
  assert.equal(world.phase(), 'Progressing');
});

test('a newer document that cannot be used is told when the rollout before it has ended', () => {
  const world = live().apply(2, { rollout: STEPS }).answer();
  world.document().module({ state: 'failed', message: 'no such tag' });
  assert.equal(world.phase(), 'Progressing');
  world.pass(60_000).answer().pass(60_000).answer().pass(120_000);
  assert.deepEqual(
    world.records.rollouts.map(({ phase }) => phase),
    ['Succeeded', 'Succeeded', 'NotStarted'],
  );
});

test('the same content again is no rollout', () => {
  const world = live().apply(1, { message: 'again' });
  assert.equal(world.records.rollouts.length, 1);
  assert.deepEqual(world.news, []);
});

test('a document that waited for its module and asks for what is there ends as done', () => {
  const world = live().document().module({ state: 'retrying', message: 'no answer' });
  world.module({ state: 'ready', revision: 1 });
  assert.equal(world.phase(), 'Succeeded');
  assert.match(world.latest().why ?? '', /nothing to change/);
});

test('content that was refused is not tried again, whatever the selector; that is said once', () => {
  const world = live().apply(2, { rollout: STEPS });
  world.refuses.add(2);
  world.answer().answer();
  world.news = [];
  world.apply(2, { rollout: STEPS }).decide();
  assert.deepEqual(world.types(), ['rollout.held-back']);
  assert.match(world.news[0]?.message ?? '', /revision 2 was refused by edge-\d+ and is held back/);
  world.apply(2, { selector: { matchLabels: { a: 'b' } } });
  assert.equal(world.records.rollouts.length, 2);
  assert.equal(world.records.assignment?.base.revision, 1);
  assert.equal(world.apply(3, { rollout: STEPS }).phase(), 'Progressing');
});

test('content held back ends a rollout that waited for its module', () => {
  const world = live().apply(2, { rollout: STEPS });
  world.refuses.add(2);
  world.answer().answer().document().module({ state: 'retrying', message: 'no answer' });
  world.module({ state: 'ready', revision: 2 });
  assert.equal(world.phase(), 'NotStarted');
  assert.match(world.latest().why ?? '', /is held back/);
});

test('after our start a rollout waits for nodes that were there before, not for one that came and went since', () => {
  const world = new World(3);
  world.startedAt = world.now;
  world.leave('edge-1').apply(1, { rollout: STEPS });
  assert.equal(world.phase(), 'Progressing');
  assert.notDeepEqual(world.moved(), ['edge-1']);

  const restarted = live(3).restart().apply(2, { rollout: STEPS });
  assert.equal(restarted.records.rollouts.length, 1, 'nobody is back yet');
  restarted.back('edge-1', 'edge-2', 'edge-3').decide();
  assert.equal(restarted.latest().number, 2);
});

test('a superseding rollout starts from what each node runs', () => {
  const world = live().apply(2, { rollout: STEPS }).answer();
  const [first = ''] = world.moved();
  world.apply(3, { rollout: STEPS });
  assert.equal(world.records.rollouts.at(-2)?.phase, 'Superseded');
  const { assignment } = world.records;
  assert.equal(assignment?.moved.length, 2);
  const [canary = ''] = assignment?.moved[1]?.nodes ?? [];
  for (const id of world.fleet.keys())
    assert.equal(world.wanted(id), id === canary ? 3 : id === first ? 2 : 1);
  assert.equal(world.latest().from.revision, 1);
});

test('a rollout superseded in its bake counts as proven', () => {
  const world = live().apply(2, { rollout: STEPS }).answer().pass(60_000).answer().pass(60_000).answer();
  assert.equal(world.phase(), 'Baking');
  world.apply(3, { rollout: STEPS });
  assert.equal(world.records.assignment?.base.revision, 2);
  assert.equal(world.records.assignment?.moved.length, 1);
});

test('nodes that join after a rollout was superseded at 100 % get what was proven', () => {
  const world = live().apply(2, { rollout: STEPS }).answer().act('promote', { full: true });
  world.apply(3, { rollout: { steps: [{ nodes: 1, soak: '1h' }] } });
  for (const n of [1, 2, 3, 4, 5, 6]) world.join(`new-${n}`);
  world.decide();
  assert.ok([1, 3].includes(world.wanted('new-1') ?? 0));
  for (const n of [1, 2, 3, 4, 5, 6]) assert.notEqual(world.wanted(`new-${n}`), 2);
});

test('applying what was there before takes moved nodes back, in steps', () => {
  const world = live().apply(2, { rollout: STEPS }).answer().apply(1, { rollout: STEPS });
  assert.equal(world.records.rollouts.at(-2)?.phase, 'Superseded');
  assert.equal(world.latest().targets, 1);
  for (const id of world.fleet.keys()) assert.equal(world.wanted(id), 1);
  world.answer().pass(600_000);
  assert.equal(world.phase(), 'Succeeded');
  assert.deepEqual(world.records.assignment?.moved, []);
});

test('a changed selector is a rollout of placement: nodes leave and enter in the same steps', () => {
  const world = new World();
  for (const n of [1, 2, 3, 4]) world.join(`a-${n}`, { labels: { app: 'a' } });
  for (const n of [1, 2, 3, 4]) world.join(`b-${n}`, { labels: { app: 'b' } });
  world
    .apply(1, { selector: { matchLabels: { app: 'a' } }, preset: 'all-at-once' })
    .answer()
    .pass(600_000);
  assert.equal(world.running('a-1'), 1);
  assert.equal(world.running('b-1'), null);
  world.apply(1, { selector: { matchLabels: { app: 'b' } }, rollout: STEPS });
  assert.equal(world.latest().kind, 'placement');
  assert.equal(world.latest().targets, 8);
  assert.equal(world.moved().length, 1);
  world.answer().pass(60_000).answer().pass(60_000).answer().pass(120_000);
  assert.equal(world.phase(), 'Succeeded');
  for (const n of [1, 2, 3, 4]) {
    assert.equal(world.running(`a-${n}`), null);
    assert.equal(world.running(`b-${n}`), 1);
  }
});

test('a selector with a typo takes the plugin off one node, not off all', () => {
  const world = live().apply(1, { selector: { matchLabels: { app: 'typo' } } });
  assert.equal(world.answer().moved().length, 1);
});

test('a delete is a rollout to none, in steps; --now skips them', () => {
  const deleted = { at: 1, by: 'lea', message: 'gone', now: false };
  const world = live().document({ rollout: STEPS, deleted }).decide();
  assert.deepEqual([world.latest().kind, world.latest().by], ['delete', 'lea']);
  assert.equal(world.moved().length, 1);
  world.answer().pass(60_000).answer().pass(60_000).answer().pass(120_000);
  assert.equal(world.phase(), 'Succeeded');
  assert.equal(world.latest().why, '10 of 10 nodes run without default/auth');
  assert.equal(world.records.assignment?.base.revision, null);
  const atOnce = live()
    .document({ rollout: STEPS, deleted: { ...deleted, now: true } })
    .decide();
  assert.equal(atOnce.moved().length, 10);
});

test('`--preset` and the message of the last apply are not for the delete that follows', () => {
  const world = live().apply(2, { rollout: STEPS, preset: 'all-at-once' }).answer().pass(600_000);
  const deleted = { at: 1, by: 'lea', now: false };
  world.document({ rollout: STEPS, preset: 'all-at-once', message: 'of the apply', deleted });
  assert.deepEqual([world.decide().moved().length, world.latest().note], [1, undefined]);
});

test('a deleted plugin that is applied anew is installed in steps', () => {
  const world = live()
    .document({ deleted: { at: 1, by: 'lea', now: true } })
    .decide();
  world.answer().pass(600_000).apply(1, { rollout: STEPS });
  assert.equal(world.latest().kind, 'install');
  assert.equal(world.moved().length, 1);
});

test('a purged plugin leaves nothing behind', () => {
  const world = live();
  world.spec = undefined;
  world.progress = undefined;
  world.decide();
  assert.deepEqual(world.records.rollouts, []);
  assert.equal(world.records.assignment, undefined);
});

test('a new format of the compiler goes through the steps, and is not tried for ever', () => {
  const world = live(10);
  world.format = 2;
  world.decide();
  assert.equal(world.latest().kind, 'format');
  assert.equal(world.moved().length, 1);
  assert.equal(world.latest().stage, 'Applying');
  world.pass(2_999);
  assert.equal(world.latest().stage, 'Applying');
  // Its bytes did not change: nothing is sent.
  world.pass(1);
  assert.equal(world.latest().stage, 'Soaking');
  world.act('abort').pass(3_000);
  assert.equal(world.phase(), 'Aborted');
  world.pass(3_600_000);
  assert.equal(world.records.rollouts.length, 2);
  assert.equal(world.act('retry').latest().kind, 'format');
});

test('a format that comes while a rollout is under way waits for its end', () => {
  const world = live().apply(2, { rollout: STEPS }).answer();
  world.format = 2;
  world.decide();
  assert.equal(world.records.rollouts.length, 2);
  world.pass(60_000).answer().pass(60_000).answer().pass(120_000);
  assert.equal(world.latest().kind, 'format');
});

test('--preset is for the rollout that its document starts, and no later one', () => {
  const world = live().apply(2, { preset: 'all-at-once' });
  assert.equal(world.latest().strategy.preset, 'all-at-once');
  world.refuses.add(2);
  world.answer().answer();
  world.act('retry');
  assert.equal(world.latest().strategy.preset, 'standard');
});

test('nothing new starts while all is frozen, and what was asked meanwhile starts after', () => {
  const world = live();
  world.freeze = { by: 'lea', message: 'until nine', at: 1 };
  world.apply(2, { rollout: STEPS });
  assert.equal(world.records.rollouts.length, 1);
  world.freeze = undefined;
  assert.equal(world.decide().phase(), 'Progressing');
});

test('a freeze pauses what runs, and it goes on by itself', () => {
  const world = live().apply(2, { rollout: STEPS }).answer().pass(20_000);
  world.freeze = { by: 'lea', message: 'until nine', at: 1 };
  world.decide();
  assert.equal(world.phase(), 'Paused');
  assert.equal(world.latest().reason, 'Frozen');
  assert.equal(world.latest().why, 'all changes are frozen by lea: "until nine"');
  world.pass(3_600_000);
  world.freeze = undefined;
  world.decide();
  assert.equal(world.phase(), 'Progressing');
  assert.equal(world.latest().timer?.leftMs, 40_000);
});

test('a rollout that a person paused stays paused when a freeze is lifted', () => {
  const world = live().apply(2, { rollout: STEPS }).answer().act('pause');
  world.freeze = { by: 'lea', message: null, at: 1 };
  world.decide();
  world.freeze = undefined;
  assert.equal(world.decide().phase(), 'Paused');
});

test('undo and abort work while all is frozen', () => {
  const world = live().apply(2, { preset: 'all-at-once' }).answer().pass(600_000);
  world.freeze = { by: 'lea', message: null, at: 1 };
  world.decide().act('undo').answer();
  assert.equal(world.phase(), 'Succeeded');
  assert.equal(world.running('edge-1'), 1);
});

test('a hundred rollouts are kept', () => {
  const world = live(1);
  for (let n = 2; n <= 110; n += 1) {
    world
      .apply(n, { rollout: { preset: 'all-at-once', bake: '1s' } })
      .answer()
      .pass(1_000);
  }
  assert.equal(world.records.rollouts.length, 100);
  assert.equal(world.latest().number, 110);
});

test('a rollout says what it follows, who wanted it and why', () => {
  const world = live().apply(2, { by: 'ci', message: 'JIRA-812' });
  const { specRevision, by, note, plugin, number, kind } = world.latest();
  assert.deepEqual(
    { specRevision, by, note, plugin, number, kind },
    { specRevision: 12, by: 'ci', note: 'JIRA-812', plugin: PLUGIN, number: 2, kind: 'update' },
  );
});

test('a revision whose record is not there yet is waited for', () => {
  const world = live().document();
  world.progress = makeReady(2, world.spec?.revision ?? 0);
  assert.equal(world.decide().records.rollouts.length, 1);
  world.revisions.set(2, makeRevision(2));
  assert.equal(world.decide().records.rollouts.length, 2);
});

test('what became live while nobody was connected is proven by the first node that takes it', () => {
  const world = live(2).leave('edge-1', 'edge-2');
  world.now += 3_600_000;
  world.apply(2);
  assert.equal(world.latest().reason, 'NoNodes');
  world.back('edge-1').answer();
  assert.equal(world.phase(), 'Succeeded');
  assert.equal(world.latest().reason, undefined);
  world.manners.set('edge-2', 'refuses');
  world.back('edge-2').answer();
  assert.equal(world.phase(), 'Succeeded');
  assert.equal(world.wakeAt, null);
});

test('what became live while nobody was connected and is refused first goes back', () => {
  const world = live(2).leave('edge-1', 'edge-2');
  world.now += 3_600_000;
  world.apply(2);
  world.refuses.add(2);
  world.back('edge-1').answer();
  assert.equal(world.latest().failure?.kind, 'refusal');
  assert.equal(world.records.assignment?.base.revision, 1);
  assert.equal(world.records.quarantine.get('content-2')?.cause, 'refused');
  world.answer();
  assert.equal(world.phase(), 'RolledBack');
  assert.equal(world.latest().back?.touched, 1);
  world.pass(3_600_000);
  assert.equal(world.records.rollouts.length, 2);
});

test('an excluded node is not the first to get what nobody else is there to take', () => {
  const world = live(1);
  world.excluded.add('edge-1');
  world.apply(2, { rollout: STEPS });
  assert.equal(world.phase(), 'Baking');
  assert.equal(world.wanted('edge-1'), 1);
  world.join('edge-2').decide();
  assert.equal(world.wanted('edge-2'), 2);
  world.answer().pass(120_000);
  assert.equal(world.phase(), 'Succeeded');
  assert.equal(world.wanted('edge-1'), 2);
});

test('a retry after the document was held back starts it, whichever rollout it names', () => {
  const world = live().apply(2, { rollout: STEPS });
  world.refuses.add(2);
  world.answer().answer();
  world.refuses.clear();
  world.apply(3, { preset: 'all-at-once' }).answer().pass(600_000).apply(2, { rollout: STEPS });
  assert.equal(world.latest().to?.revision, 3);
  world.act('retry');
  assert.equal(world.latest().to?.revision, 2);
  assert.equal(world.phase(), 'Progressing');
});
