import type { ModuleProgress } from '../model/revision.ts';
import { isActive, type Rollout } from '../model/rollout.ts';
import { toSuperseded } from './begin-rollout.ts';
import { findDesired, isHeldTarget } from './desired-side.ts';
import { newRollout, SOMEBODY } from './new-rollout.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { nameOf } from './rollout-text.ts';
import { latestOf, type Rule, type Turn, without, withRollout } from './rollout-turn.ts';
import { baseOf } from './sides.ts';

/**
 * The module stage cannot get what the document names: that is told by a rollout that waits for it (Validating), or
 * does not start. A rollout that moves nodes is not disturbed by it.
 */
export const followModule: Rule = (turn, records) => {
  const { facts } = turn;
  const latest = latestOf(records);
  const desired = findDesired(facts);
  if (facts.spec === undefined || desired.kind !== 'unusable') return records;
  if (latest !== undefined && isActive(latest) && latest.phase !== 'Validating') return records;
  const { revision: specRevision } = facts.spec;
  if (isHeldTarget(records.assignment?.held, { specRevision, revision: null })) return records;
  const known = records.rollouts.findLast(
    ({ specRevision: of, phase }) =>
      of === specRevision && (phase === 'Validating' || phase === 'NotStarted'),
  );
  if (known?.phase === 'NotStarted') return records;
  const { progress } = desired;
  if (known !== undefined) return update(turn, records, known, progress);
  const before = latest?.phase === 'Validating' ? withRollout(records, toSuperseded(turn, latest)) : records;
  return open(turn, before, progress);
};

function open(turn: Turn, records: RolloutRecords, progress: ModuleProgress): RolloutRecords {
  const { facts } = turn;
  const spec = facts.spec?.value;
  const plan = {
    kind: baseOf(records.assignment, facts.format).revision === null ? 'install' : 'update',
    to: null,
    by: spec?.by ?? SOMEBODY,
    note: spec?.message,
    strategy: { document: spec?.rollout, preset: spec?.preset },
  } as const;
  const rollout = toTold(facts, newRollout(turn, records, plan, 'Validating'), progress);
  tell(turn, rollout);
  return { ...records, rollouts: [...records.rollouts, rollout], nodes: undefined };
}

function update(
  turn: Turn,
  records: RolloutRecords,
  known: Rollout,
  progress: ModuleProgress,
): RolloutRecords {
  const rollout = toTold(turn.facts, known, progress);
  if (JSON.stringify(rollout) === JSON.stringify(known)) return records;
  if (rollout.phase === 'NotStarted') tell(turn, rollout);
  return withRollout(records, rollout);
}

function tell(turn: Turn, rollout: Rollout): void {
  const { phase, why = '' } = rollout;
  if (phase === 'NotStarted')
    turn.tell('rollout.not-started', `${nameOf(rollout)} NotStarted, no node was touched: ${why}`);
  else turn.tell('rollout.validating', `${nameOf(rollout)} waits for its module: ${why}`);
}

/** With what the module stage says of it. */
function toTold(
  { now }: RolloutFacts,
  rollout: Rollout,
  { state, message, hint, code }: ModuleProgress,
): Rollout {
  return {
    ...without(rollout, 'why', 'hint', 'code', 'reason'),
    ...(message === undefined ? {} : { why: message }),
    ...(hint === undefined ? {} : { hint }),
    ...(code === undefined ? {} : { code }),
    ...(state === 'failed'
      ? { phase: 'NotStarted', since: now, endedAt: now }
      : { phase: 'Validating', reason: 'ModuleUnavailable' }),
  };
}
