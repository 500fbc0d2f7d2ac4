import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeChanges, describeLast } from '../../../src/cli/rollout/rollout-changes.ts';
import { bakingView, gateView, group, NOW, refusedView, stepView, succeededView } from '../rollout-views.ts';

test('the first look says what it is and where it stands', () => {
  assert.deepEqual(describeChanges(undefined, bakingView(), NOW), [
    'auth  – → revision 1   Baking   1:00   started 38 s ago by admin',
    'step 1   100 % asked, 1 of 1 node   done   0.8 s',
    'gate 5xx   too few to judge   0 % of 3 requests: too few to judge, not held against it (at most 2 points above the others)',
  ]);
});

test('clocks that run make no line', () => {
  const before = bakingView();
  const after = bakingView({
    asOf: '2026-11-21T03:02:05.000Z',
    bake: { state: 'active', totalMs: 60_000, elapsedMs: 26_000 },
  });
  assert.deepEqual(describeChanges(before, after, NOW), []);
});

test('a soak is one line, whatever its clock says', () => {
  const soaking = (text: string) =>
    bakingView({ phase: 'Progressing', steps: [stepView({ state: 'active', word: 'soaking', text })] });
  const applying = bakingView({
    phase: 'Progressing',
    steps: [stepView({ state: 'active', word: 'applying', text: '0.4 s' })],
  });
  assert.deepEqual(describeChanges(applying, soaking('0:00 of 0:30'), NOW), [
    'step 1   100 % asked, 1 of 1 node   soaking',
  ]);
  assert.deepEqual(describeChanges(soaking('0:00 of 0:30'), soaking('0:12 of 0:30'), NOW), []);
});

test('C-B1: the refusal, step by step, as a log has it', () => {
  const refused = refusedView();
  const [first, second] = refused.steps;
  const gates = [gateView(), gateView({ name: 'crashes', kind: 'reload' })];
  const applying = refusedView({
    phase: 'Progressing',
    reason: null,
    why: null,
    active: true,
    endedAt: null,
    gates,
    steps: [
      first ?? stepView(),
      stepView({ ...second, state: 'active', word: 'applying', text: '0.2 s', nodes: [] }),
    ],
  });
  assert.deepEqual(describeChanges(applying, refused, NOW), [
    'step 2   10 % asked, 30 of 300 nodes   FAILED   after 1.2 s',
    'step 2   3 Refused  edge-b-041, edge-b-055, edge-c-009   never left revision 7',
    'RolledBack (Refused)',
    'why: 3 nodes refused revision 8, first edge-b-041 at 02:59:07: "Unable to create Wasm plugin edge/auth"',
  ]);
  assert.deepEqual(describeChanges(refused, refused, NOW), []);
});

test('a note and a way back are told when they change', () => {
  const back = {
    touched: 30,
    confirmed: 12,
    missing: [],
    startedAt: '2026-11-21T02:59:08.000Z',
    tookMs: null,
    text: '12 of 30 nodes are back on revision 7 (confirmed)',
  };
  const before = bakingView({ notes: ['it took over from default.auth.0'] });
  const after = bakingView({ notes: ['it took over from default.auth.0', 'one more'], back });
  assert.deepEqual(describeChanges(before, after, NOW), [
    'one more',
    'back: 12 of 30 nodes are back on revision 7 (confirmed)',
  ]);
});

test('trouble of a node is told once, not with every age', () => {
  const stale = (text: string) =>
    bakingView({ steps: [stepView({ nodes: [group({ state: 'Stale', nodes: ['a'], text })] })] });
  assert.deepEqual(describeChanges(bakingView(), stale('no answer for 61 s'), NOW), [
    'step 1   a   Stale  no answer for 61 s',
  ]);
  assert.deepEqual(describeChanges(stale('no answer for 61 s'), stale('no answer for 62 s'), NOW), []);
});

test('the last lines are the end and what to type next', () => {
  assert.deepEqual(describeLast(succeededView(), NOW), ['Succeeded in 1m 2s: 1 of 1 node runs revision 1']);
  assert.deepEqual(describeLast(refusedView(), NOW).slice(-2), [
    'next: fix and apply',
    '      attache rollout retry edge/auth   to try it again',
  ]);
});
