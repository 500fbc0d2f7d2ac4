import type { Rollout, RolloutStep } from '../model/rollout.ts';
import { toResumed } from './pause-rollout.ts';
import type { RolloutRecords } from './rollout-facts.ts';
import { type Turn, withRollout } from './rollout-turn.ts';
import { beginStep, passStep } from './step-rollout.ts';
import { succeed } from './succeed.ts';

/**
 * Ends the pause, the soak or the bake that is under way; of a step that is being sent, the soak to come. `full`:
 * every further step with it. What nodes refuse, crash or break still takes it back.
 */
export function promote(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  full: boolean,
): RolloutRecords {
  const resumed = rollout.phase === 'Paused' ? toResumed(turn, rollout) : rollout;
  const last = resumed.steps.length - 1;
  if (full && resumed.step < last) return jump(turn, records, resumed, last);
  switch (resumed.stage) {
    case 'Waiting':
      return beginStep(turn, withRollout(records, resumed), resumed, resumed.step);
    case 'Applying':
      return withRollout(records, { ...resumed, steps: withoutSoak(resumed.steps, resumed.step) });
    case 'Soaking':
      return passStep(turn, withRollout(records, resumed), resumed);
    case 'Baking':
      return succeed(turn, withRollout(records, resumed), resumed);
    case 'Returning':
    case null:
      return withRollout(records, resumed);
    default:
      return resumed.stage satisfies never;
  }
}

function jump(turn: Turn, records: RolloutRecords, rollout: Rollout, last: number): RolloutRecords {
  const { now } = turn.facts;
  const steps = rollout.steps.map((step, index): RolloutStep => {
    if (index >= last || step.state === 'passed' || step.state === 'skipped') return step;
    return step.state === 'active'
      ? { ...step, state: 'passed', endedAt: now }
      : { ...step, state: 'skipped' };
  });
  const next = { ...rollout, steps };
  return beginStep(turn, withRollout(records, next), next, last);
}

function withoutSoak(steps: readonly RolloutStep[], index: number): readonly RolloutStep[] {
  return steps.map((step, at) => (at === index ? { ...step, soakMs: 0 } : step));
}
