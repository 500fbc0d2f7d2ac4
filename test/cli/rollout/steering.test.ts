import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RolloutAnswer } from '../../../src/api/schema/rollout-view.ts';
import { describeBack, describeSteering, toBackExitCode } from '../../../src/cli/rollout/steering.ts';
import { bakingView, group, refusedView, stepView, succeededView } from '../rollout-views.ts';

function answer(fields: Partial<RolloutAnswer>): RolloutAnswer {
  const text = 'default.auth.1 goes on at step 1 of 1';
  return { kind: 'RolloutAnswer', action: 'resume', outcome: 'done', text, rollout: bakingView(), ...fields };
}

test('a verb says what it did, and how to watch what goes on', () => {
  assert.deepEqual(describeSteering(answer({})), [
    'default.auth.1 goes on at step 1 of 1',
    'watch: attache rollout status auth',
  ]);
  const text = 'default.auth.1 is paused at step 1 of 1';
  assert.deepEqual(describeSteering(answer({ action: 'pause', text })), [text]);
  assert.deepEqual(describeSteering(answer({ rollout: null })).length, 1);
});

test('acceptance 5: an undo names the nodes that went back, and the end', () => {
  const laptop = group({ text: 'revision 1  0.3 s after sending' });
  const view = succeededView({
    change: 'undo',
    title: '2 → 1',
    steps: [stepView({ nodes: [laptop] })],
    bake: null,
  });
  assert.deepEqual(describeBack(view), [
    'laptop   Accepted  revision 1  0.3 s after sending',
    'Succeeded in 1m 2s: 1 of 1 node runs revision 1',
  ]);
});

test('an abort tells how all went back; while they go, how far and how to watch', () => {
  const outcome = 'Aborted in 0.4 s: laptop is back on revision 1 (confirmed)';
  assert.deepEqual(describeBack(refusedView({ phase: 'Aborted', outcome })), [outcome]);
  const back = {
    touched: 30,
    confirmed: 12,
    missing: [],
    startedAt: '2026-11-21T02:59:08.000Z',
    tookMs: null,
    text: '12 of 30 nodes are back on revision 7 (confirmed)',
  };
  assert.deepEqual(describeBack(refusedView({ phase: 'RollingBack', active: true, back })), [
    '12 of 30 nodes are back on revision 7 (confirmed)',
    'watch: attache rollout status edge/auth',
  ]);
});

test('being back is what was asked for, so it is exit 0', () => {
  const code = (phase: 'Succeeded' | 'RolledBack' | 'Aborted' | 'RollbackIncomplete' | 'Superseded') =>
    toBackExitCode(refusedView({ phase }));
  assert.deepEqual(
    [code('Succeeded'), code('RolledBack'), code('Aborted'), code('RollbackIncomplete'), code('Superseded')],
    [0, 0, 0, 6, 4],
  );
  assert.equal(toBackExitCode(bakingView()), 6);
});
