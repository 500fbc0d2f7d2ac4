import { toCountText, toDurationText, toNamesText } from '../model/quantity-text.ts';
import type { Rollout, RolloutStep } from '../model/rollout.ts';
import { describeReach } from '../model/rollout-plan.ts';
import { fail } from './go-back.ts';
import { isOver, lookedAt, pause } from './pause-rollout.ts';
import { countHere, countOpen, findOpen, type Roll, type Tally } from './roll.ts';
import type { RolloutRecords } from './rollout-facts.ts';
import { nameOf, toAimText, toFirstText } from './rollout-text.ts';
import { latestOf, type Rule, type Turn, without, withRollout } from './rollout-turn.ts';
import { succeed } from './succeed.ts';

/** Takes a rollout from stage to stage: the pause before a step, its push, the watch after it, the bake. */
export const goOn: Rule = (turn, records) => {
  const rollout = latestOf(records);
  if (rollout?.phase !== 'Progressing' && rollout?.phase !== 'Baking') return records;
  const lost = pauseWhenLost(turn, records, rollout);
  if (lost !== records) return lost;
  switch (rollout.stage) {
    case 'Waiting':
      // It waited for a person, was paused for something else meanwhile, and that was resumed.
      if (rollout.timer === null) return enterStep(turn, records, rollout, rollout.step);
      return isOver(turn, rollout, records) ? beginStep(turn, records, rollout, rollout.step) : records;
    case 'Applying':
      return apply(turn, records, rollout);
    case 'Soaking':
      return isOver(turn, rollout, records) ? endWatch(turn, records, rollout, passStep) : records;
    case 'Baking':
      return isOver(turn, rollout, records) ? endWatch(turn, records, rollout, succeed) : records;
    case 'Returning':
    case null:
      return records;
    default:
      return rollout.stage satisfies never;
  }
};

/** Comes to a step: its pause, or else the step itself. */
export function enterStep(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  step: number,
): RolloutRecords {
  const { pause: wait } = rollout.steps[step] ?? { pause: null };
  if (wait === null) return beginStep(turn, records, rollout, step);
  const waiting: Rollout = { ...rollout, step, stage: 'Waiting', timer: null };
  if (wait === 'human') {
    const why = `step ${step + 1} of ${rollout.steps.length} begins when a person promotes it`;
    return pause(turn, withRollout(records, waiting), waiting, { reason: 'Human', why });
  }
  return withRollout(records, { ...waiting, timer: { leftMs: wait, at: turn.facts.now } });
}

/** Assigns the nodes of a step; who they are is worked out by `moveNodes`. */
export function beginStep(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  step: number,
): RolloutRecords {
  const { now } = turn.facts;
  const { assignment } = records;
  const { id, to, steps, targets, strategy } = rollout;
  const plan = steps[step];
  if (assignment === undefined || plan === undefined || to === null) return records;
  const hasEntry = assignment.moved.some(entry => entry.rollout === id);
  const moved = hasEntry
    ? assignment.moved
    : [...assignment.moved, { rollout: id, side: to, nodes: [], since: now }];
  turn.tell(
    'rollout.step.started',
    `${nameOf(rollout)}: step ${step + 1} of ${steps.length} sends ${toAimText(rollout)}: ${describeReach(plan, targets)}`,
  );
  const next: Rollout = {
    ...rollout,
    step,
    stage: 'Applying',
    timer: { leftMs: strategy.progressDeadlineMs, at: now },
    steps: withStep(steps, step, { ...plan, state: 'active', startedAt: now }),
  };
  return withRollout({ ...records, assignment: { ...assignment, moved } }, next);
}

/**
 * Waits for every node that was moved, also those of steps before that were gone and came back. Those that are gone neither
 * hold it up nor count.
 */
function apply(turn: Turn, records: RolloutRecords, rollout: Rollout): RolloutRecords {
  const { now } = turn.facts;
  const roll = turn.facts.rollCall.of(turn, records);
  const plan = rollout.steps[rollout.step];
  if (plan === undefined) return records;
  if (countOpen(roll.tally) > 0)
    return isOver(turn, rollout, records) ? failLate(turn, records, rollout, roll) : records;
  const appliedMs = now - (plan.startedAt ?? now);
  const steps = withStep(rollout.steps, rollout.step, { ...plan, appliedMs });
  const timer = { leftMs: plan.soakMs, at: now };
  return withRollout(records, { ...rollout, steps, stage: 'Soaking', timer });
}

/** A soak or bake is over when those that came back in it have answered as well. */
function endWatch(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  then: (turn: Turn, records: RolloutRecords, rollout: Rollout) => RolloutRecords,
): RolloutRecords {
  const roll = turn.facts.rollCall.of(turn, records);
  if (countOpen(roll.tally) === 0) return then(turn, records, without(rollout, 'why'));
  const failed = failLate(turn, records, rollout, roll);
  if (failed !== records) return failed;
  const what = rollout.stage === 'Baking' ? 'bake' : 'soak';
  const why = `the ${what} is over; waiting for ${toNamesText(findOpen(roll))} to answer`;
  return rollout.why === why ? records : withRollout(records, { ...rollout, why });
}

/** Ends a step, whatever is left of its soak: the next one follows, or the bake. */
export function passStep(turn: Turn, records: RolloutRecords, rollout: Rollout): RolloutRecords {
  const { now } = turn.facts;
  const { steps, step } = rollout;
  const plan = steps[step];
  if (plan === undefined) return records;
  const took = toDurationText(now - (plan.startedAt ?? now));
  turn.tell(
    'rollout.step.passed',
    `${nameOf(rollout)}: step ${step + 1} of ${steps.length} passed after ${took}`,
  );
  const passed: Rollout = {
    ...rollout,
    steps: withStep(steps, step, { ...plan, state: 'passed', endedAt: now }),
    timer: null,
  };
  const next = steps.findIndex(({ state }, index) => index > step && state !== 'skipped');
  if (next !== -1) return enterStep(turn, withRollout(records, passed), passed, next);
  turn.tell(
    'rollout.baking',
    `${nameOf(rollout)}: every node has it; it is watched for ${toDurationText(rollout.strategy.bakeMs)}`,
  );
  return withRollout(records, {
    ...passed,
    phase: 'Baking',
    since: now,
    stage: 'Baking',
    timer: { leftMs: rollout.strategy.bakeMs, at: now },
  });
}

/** Too many of its nodes went since it began, or since a person let it go on: what is left would prove too little. */
function pauseWhenLost(turn: Turn, records: RolloutRecords, rollout: Rollout): RolloutRecords {
  const { to, step, stage } = rollout;
  if (to === null) return records;
  const roll = turn.facts.rollCall.of(turn, records);
  if (roll.isAwaitingAny || roll.lost.size === 0) return records;
  const gone = findGone(turn, rollout, roll);
  const own = gone.filter(id => roll.moved.get(id)?.step === step);
  const lost =
    (stage === 'Baking' ? undefined : findTooMany(rollout, own, roll.tallyOf(step))) ??
    findTooMany(rollout, gone, roll.tally);
  if (lost === undefined) return records;
  const why = `${toNamesText(lost.gone)} ${lost.gone.length === 1 ? 'is' : 'are'} gone: ${lost.gone.length} of ${toCountText(lost.of, 'node')}, more than the ${Math.round(rollout.strategy.maxDisconnected * 100)} % that may be`;
  return pause(turn, records, rollout, { reason: 'Disconnected', why });
}

/** In the order in which they were moved. */
function findGone({ facts }: Turn, rollout: Rollout, { lost, moved }: Roll): readonly string[] {
  const since = Math.max(rollout.startedAt, lookedAt(rollout));
  const isGone = (id: string) => lost.has(id) && (facts.fleet.get(id)?.presence.since ?? 0) >= since;
  return [...lost].some(isGone) ? [...moved.keys()].filter(isGone) : [];
}

function findTooMany(
  { strategy }: Rollout,
  gone: readonly string[],
  tally: Tally,
): { readonly gone: readonly string[]; readonly of: number } | undefined {
  const of = gone.length + countHere(tally);
  return gone.length > of * strategy.maxDisconnected ? { gone, of } : undefined;
}

/** Nodes that had their time, each from when it was moved or came back, did not take it. */
function failLate(turn: Turn, records: RolloutRecords, rollout: Rollout, roll: Roll): RolloutRecords {
  if (rollout.kind === 'undo' && rollout.strategy.preset === 'all-at-once')
    return succeed(turn, records, rollout);
  const nodes = findOpen(roll).filter(id => isLate(turn, rollout, roll, id));
  if (nodes.length === 0) return records;
  const limit = toDurationText(rollout.strategy.progressDeadlineMs);
  const isOurs = nodes.every(id => roll.standingOf(id)?.arrival === 'fetching');
  return fail(turn, records, rollout, {
    kind: isOurs ? 'unreachable' : 'deadline',
    reason: isOurs ? 'Unreachable' : 'Deadline',
    nodes,
    text: isOurs ? `no module within ${limit}` : `no answer within ${limit}`,
    why: isOurs
      ? `${toFirstText(nodes)} could not get the module from Attaché within ${limit}: is the modules address reachable from there?`
      : `${toFirstText(nodes)} did not take ${toAimText(rollout)} within ${limit}`,
    ...(isOurs
      ? {}
      : { quarantine: { cause: 'failed', text: `was not taken in time by ${toNamesText(nodes, 1)}` } }),
  });
}

/** Wakes when it is. */
function isLate({ facts, wake }: Turn, { strategy }: Rollout, roll: Roll, id: string): boolean {
  const { now } = facts;
  const since = facts.fleet.get(id)?.presence.since ?? 0;
  // A clock that was set back must not make it young.
  const from = Math.max(roll.moved.get(id)?.at ?? 0, since > now ? 0 : since);
  const lateAt = from + strategy.progressDeadlineMs;
  wake(lateAt);
  return now >= lateAt;
}

function withStep(steps: readonly RolloutStep[], index: number, step: RolloutStep): readonly RolloutStep[] {
  return steps.map((known, at) => (at === index ? step : known));
}
