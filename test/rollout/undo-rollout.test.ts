import assert from 'node:assert/strict';
import { test } from 'node:test';
import { live } from './live.ts';
import type { World } from './world.ts';

const DAY_MS = 86_400_000;

test('undo goes to the good revision before, on all nodes at once, without soak or bake', () => {
  const world = live(12, 2).act('undo', { message: 'liked the old one' });
  assert.equal(world.latest().kind, 'undo');
  assert.equal(world.latest().note, 'liked the old one');
  assert.equal(world.moved().length, 12);
  world.answer();
  assert.equal(world.phase(), 'Succeeded');
  assert.equal(world.records.assignment?.base.revision, 1);
  assert.equal(world.latest().why, '12 of 12 nodes run revision 1');
});

test('the rollout that was undone shows Reverted once that has finished', () => {
  const world = live(12, 2).act('undo');
  assert.equal(world.records.rollouts[1]?.phase, 'Succeeded');
  world.answer();
  assert.equal(world.records.rollouts[1]?.phase, 'Reverted');
  assert.equal(world.records.rollouts[1]?.reason, 'Undone');
  assert.ok(world.types().includes('rollout.reverted'));
});

test('what was undone is held back, and is not followed by the same document', () => {
  const world = live(12, 2).act('undo', { message: 'old', by: 'lea' }).answer().pass(3_600_000);
  assert.equal(world.records.rollouts.length, 3);
  assert.equal(world.records.quarantine.get('content-2')?.cause, 'undone');
  assert.equal(world.records.quarantine.get('content-2')?.text, 'was undone by lea ("old")');
  world.news = [];
  world.apply(2);
  assert.deepEqual(world.types(), ['rollout.held-back']);
  assert.equal(world.running('edge-1'), 1);
});

test('a second undo finds it back already', () => {
  const world = live(12, 2).act('undo').answer().act('undo');
  assert.equal(world.latest().intent?.outcome, 'already-back');
  assert.equal(world.records.rollouts.length, 3);
});

test('undo of a first install goes to none', () => {
  const world = live(12).act('undo').answer();
  assert.equal(world.phase(), 'Succeeded');
  assert.equal(world.running('edge-1'), null);
  assert.equal(world.records.assignment?.base.revision, null);
});

test('undo to any kept revision', () => {
  const world = live(12, 3).act('undo', { to: 1 }).answer();
  assert.equal(world.running('edge-1'), 1);
  assert.equal(world.latest().to?.revision, 1);
  assert.equal(world.act('undo', { to: 1 }).latest().intent?.outcome, 'already-back');
  assert.equal(world.act('undo', { to: 99 }).latest().intent?.outcome, 'already-back');
});

test('undo after 72 hours goes through the steps', () => {
  const world = live(12, 2)
    .pass(3 * DAY_MS + 1)
    .act('undo');
  assert.equal(world.latest().kind, 'undo');
  assert.equal(world.moved().length, 1);
  assert.equal(world.latest().strategy.preset, 'standard');
});

test('undo of a rollout that failed finds it back already', () => {
  const world = live(12).apply(2);
  world.refuses.add(2);
  world.answer().answer().act('undo');
  assert.equal(world.latest().intent?.outcome, 'already-back');
  assert.equal(world.phase(), 'RolledBack');
});

test('undo after a format rollout undoes what came before it', () => {
  const world = live(12, 2);
  world.format = 2;
  world.decide().pass(600_000).answer().pass(3_600_000);
  assert.equal(world.latest().kind, 'format');
  assert.equal(world.phase(), 'Succeeded');
  world.act('undo').answer();
  assert.equal(world.running('edge-1'), 1);
});

test('undo after a document that asked for what is there undoes what came before it', () => {
  const world = live(12, 2).document();
  world.module({ state: 'retrying', message: 'registry.example does not answer' });
  world.module({ state: 'ready', revision: 2 });
  assert.equal(world.latest().why, 'nothing to change: revision 2 is what nodes run');
  world.act('undo').answer();
  assert.equal(world.running('edge-1'), 1);
  const results = world.records.rollouts.map(({ phase }) => phase);
  assert.deepEqual(results, ['Succeeded', 'Reverted', 'Succeeded', 'Succeeded']);
});

test('undo of a delete brings back what was there, in one transaction with the document', () => {
  const world = live(12)
    .document({ deleted: { at: 1, by: 'lea', now: true } })
    .decide();
  world.answer().pass(600_000);
  assert.equal(world.running('edge-1'), null);
  world.document();
  world.act('undo');
  assert.equal(world.moved().length, 12);
  world.answer();
  assert.equal(world.running('edge-1'), 1);
  world.module({ state: 'ready', revision: 1 });
  assert.equal(world.records.rollouts.length, 3);
});

test('an undo that is refused goes back to what ran, and lifts the hold on it', () => {
  const world = live(12, 2);
  world.refuses.add(1);
  world.act('undo').answer().answer();
  assert.equal(world.phase(), 'RolledBack');
  assert.equal(world.running('edge-1'), 2);
  assert.equal(world.records.quarantine.get('content-2'), undefined);
  assert.equal(world.records.quarantine.get('content-1')?.cause, 'refused');
  assert.equal(world.records.assignment?.held, undefined);
});

test('an undo that is aborted leaves no hold on either side', () => {
  const world = live(12, 2);
  for (const id of world.fleet.keys()) world.manners.set(id, 'silent');
  world.act('undo').answer().act('abort');
  world.manners.clear();
  world.answer();
  assert.equal(world.phase(), 'Aborted');
  assert.equal(world.records.quarantine.size, 0);
  assert.equal(world.records.assignment?.base.revision, 2);
});

test('a node that never confirms does not bring what was undone back', () => {
  const world = live(12, 2);
  world.manners.set('edge-7', 'silent');
  world.act('undo').answer().pass(600_000);
  assert.equal(world.phase(), 'Succeeded');
  assert.equal(world.records.assignment?.base.revision, 1);
  assert.match(world.latest().hint ?? '', /^edge-7 did not confirm/);
});

test('undo of a change of the selector brings the nodes back', () => {
  const world = live(12).apply(1, { selector: { matchLabels: { app: 'x' } }, preset: 'all-at-once' });
  world.answer().pass(600_000);
  assert.equal(world.running('edge-1'), null);
  world.act('undo').answer();
  assert.equal(world.running('edge-1'), 1);
  world.pass(3_600_000);
  assert.equal(world.running('edge-1'), 1);
  assert.equal(world.records.quarantine.size, 0);
});

test('an undo that failed can be tried again', () => {
  const world = live(12, 2);
  world.refuses.add(1);
  world.act('undo').answer().answer();
  assert.equal(world.phase(), 'RolledBack');
  world.refuses.clear();
  world.pass(1_000).act('undo').answer();
  assert.equal(world.phase(), 'Succeeded');
  assert.equal(world.running('edge-1'), 1);
});

/** Revision 2 is live; its undo is under way, and two nodes have not answered yet. */
function undoing(): World {
  const world = live(12, 2);
  for (const id of ['edge-1', 'edge-2']) world.manners.set(id, 'silent');
  return world.act('undo').answer();
}

test('what is undone is not proven any more from the beginning of the undo', () => {
  const world = undoing();
  assert.equal(world.phase(), 'Progressing');
  assert.equal(world.records.assignment?.base.revision, 1, 'an Envoy that starts now begins with it');
  world.excluded.add('edge-3');
  world.decide();
  assert.equal(world.wanted('edge-3'), 1, 'an excluded node is not given back what was undone');
});

test('an undo that a newer document takes over from brings back nobody what it undid', () => {
  const world = undoing().apply(3);
  assert.equal(world.phase(), 'Progressing');
  assert.equal(world.latest().to?.revision, 3);
  assert.equal(world.records.rollouts[1]?.phase, 'Reverted');
  assert.equal(world.records.rollouts[2]?.phase, 'Superseded');
  const wanted = [...world.fleet.keys()].map(id => world.wanted(id));
  assert.ok(wanted.every(revision => revision === 1 || revision === 3));
  world.refuses.add(3);
  world.manners.clear();
  world.answer().answer().answer();
  assert.equal(world.phase(), 'RolledBack');
  assert.ok([...world.fleet.keys()].every(id => world.wanted(id) === 1));
});

test('a second undo while the first is under way does not turn it round; abort does', () => {
  const world = undoing().act('undo');
  assert.equal(world.latest().intent?.outcome, 'already-back');
  assert.equal(world.phase(), 'Progressing');
  world.act('abort');
  assert.equal(world.phase(), 'RollingBack');
  assert.equal(world.records.assignment?.base.revision, 2);
});

test('an undo that only takes off what was stopped where it was leaves the live one as it is', () => {
  const world = live(10, 2)
    .apply(3, { rollout: { steps: [{ nodes: 2, soak: '1m' }] } })
    .answer();
  world.act('abort', { freeze: true }).pass(1_000).act('undo').answer().pass(700_000);
  assert.equal(world.records.assignment?.base.revision, 2);
  assert.deepEqual(
    world.records.rollouts.map(({ to, phase }) => `${to?.revision} ${phase}`),
    ['1 Succeeded', '2 Succeeded', '3 Aborted', '2 Succeeded'],
  );
});

test('an undo to a revision does not end a rollout that began elsewhere', () => {
  const world = live(10, 3).apply(4, { rollout: { steps: [{ nodes: 2, soak: '1m' }] } });
  world.act('undo', { to: 1 });
  assert.equal(world.latest().intent?.outcome, 'too-late');
  assert.equal(world.phase(), 'Progressing');
  world.act('undo', { to: 3 });
  assert.equal(world.latest().intent?.outcome, 'done');
  assert.equal(world.phase(), 'Aborted');
});
