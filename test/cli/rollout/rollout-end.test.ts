import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeNext, isOver, toRolloutExitCode } from '../../../src/cli/rollout/rollout-end.ts';
import { ROLLOUT_PHASES } from '../../../src/model/rollout.ts';
import { bakingView } from '../rollout-views.ts';

test('every phase has its exit code', () => {
  const codes = ROLLOUT_PHASES.map(phase => [phase, toRolloutExitCode(bakingView({ phase }))]);
  assert.deepEqual(Object.fromEntries(codes), {
    Succeeded: 0,
    NotStarted: 1,
    RolledBack: 4,
    Aborted: 4,
    RollbackIncomplete: 4,
    Superseded: 4,
    Reverted: 4,
    Validating: 6,
    Progressing: 6,
    Paused: 6,
    Baking: 6,
    RollingBack: 6,
  });
});

test('what waits for a person is exit 5, and over as far as a program can tell', () => {
  const paused = bakingView({ phase: 'Paused', waitsForPerson: true });
  assert.equal(toRolloutExitCode(paused), 5);
  assert.equal(isOver(paused), true);
  assert.equal(isOver(bakingView()), false);
  assert.equal(isOver(bakingView({ phase: 'RollbackIncomplete', active: false })), true);
});

test('next commands stand below each other with what they are for', () => {
  assert.deepEqual(describeNext({ next: [] }), []);
  const next = [
    { command: null, text: 'fix and apply' },
    { command: 'attache rollout retry auth', text: 'to try it again' },
  ];
  assert.deepEqual(describeNext({ next }), [
    'next: fix and apply',
    '      attache rollout retry auth   to try it again',
  ]);
});
