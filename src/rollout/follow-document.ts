import { isSameAim, type Side } from '../model/assignment.ts';
import { isActive, type Rollout } from '../model/rollout.ts';
import type { RolloutIntent } from '../model/rollout-intent.ts';
import { begin, toSuperseded } from './begin-rollout.ts';
import { findDesired, findHold, holdTarget } from './desired-side.ts';
import { newAssignment, type Plan, SOMEBODY } from './new-rollout.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { latestOf, type Rule, type Turn, without, withRollout } from './rollout-turn.ts';
import { baseOf, kindOf, revisionText } from './sides.ts';

/** Follows the newest document: begins a rollout, or takes over from one that is under way. */
export const followDocument: Rule = (turn, records) => {
  const { facts } = turn;
  const latest = latestOf(records);
  const desired = findDesired(facts);
  if (desired.kind !== 'side' || latest?.phase === 'RollingBack') return records;
  const { side } = desired;
  const isMoving = latest !== undefined && isActive(latest) && latest.phase !== 'Validating';
  if (isMoving && latest.to !== null && isSameAim(latest.to, side)) return records;
  const isAtRest = !isMoving && (records.assignment?.moved.length ?? 0) === 0;
  if (isAtRest && isSameAim(baseOf(records.assignment, facts.format), side))
    return endNothingToDo(turn, records);
  const hold = findHold(facts, records, side);
  if (hold !== undefined) return tellHeld(turn, records, side, hold.quarantine?.text);
  return facts.freeze === undefined ? begin(turn, records, toPlan(facts, records, side)) : records;
};

function toPlan(facts: RolloutFacts, records: RolloutRecords, to: Side): Plan {
  const spec = facts.spec?.value;
  const wish = spec?.deleted ?? findRetry(facts, records) ?? spec;
  return {
    kind: kindOf(baseOf(records.assignment, facts.format), to),
    to,
    by: wish?.by ?? SOMEBODY,
    note: wish?.message ?? (spec?.deleted ?? spec)?.message,
    strategy: { document: spec?.rollout, preset: findPreset(facts, records) },
  };
}

/** A person who said that it is to be tried again: nothing began since. */
function findRetry({ intent }: RolloutFacts, records: RolloutRecords): RolloutIntent | undefined {
  const latest = latestOf(records);
  if (intent?.action !== 'retry' || latest?.intent?.id !== intent.id) return undefined;
  return intent.rollout === latest.id || latest.startedAt < intent.at ? intent : undefined;
}

/** `--preset` is for the rollout that its document starts, and for no later one: not for its delete either. */
function findPreset({ spec }: RolloutFacts, { rollouts }: RolloutRecords): string | undefined {
  if (spec?.value.deleted !== undefined) return spec.value.deleted.now ? 'all-at-once' : undefined;
  const isFirst = rollouts.every(
    ({ specRevision, phase }) => specRevision !== spec?.revision || phase === 'Validating',
  );
  return isFirst ? spec?.value.preset : undefined;
}

/** Says once what is not done, and why; a rollout that waited for the module ends with that. */
function tellHeld(turn: Turn, records: RolloutRecords, side: Side, text: string | undefined): RolloutRecords {
  const { facts } = turn;
  const latest = latestOf(records);
  const waiting = latest?.phase === 'Validating' ? latest : undefined;
  const assignment = records.assignment ?? newAssignment(facts);
  const { held } = assignment;
  const isHeld = held?.specRevision === facts.spec?.revision && held?.revision === side.revision;
  // A hold without quarantine was made by the rollout that ended, and said with it.
  const isKnown = isHeld || text === undefined;
  if (isKnown && waiting === undefined) return records;
  const why = toHeldText(facts, side, text);
  turn.tell('rollout.held-back', `${facts.plugin}: ${why}`);
  const next = isKnown ? records : { ...records, assignment: holdTarget(facts, assignment, side.revision) };
  return waiting === undefined
    ? next
    : withRollout(next, { ...toEnded(facts, waiting), phase: 'NotStarted', to: side, why });
}

function toHeldText({ plugin }: RolloutFacts, side: Side, text = 'did not succeed before'): string {
  const what = side.revision === null ? 'the removal' : revisionText(side);
  return `${what} ${text} and is held back; nothing was changed. To try it again: attache rollout retry ${plugin}`;
}

/** A document that waited for its module turned out to ask for what is there. */
function endNothingToDo(turn: Turn, records: RolloutRecords): RolloutRecords {
  const { facts } = turn;
  const latest = latestOf(records);
  if (latest?.phase !== 'Validating') return records;
  if (latest.specRevision !== facts.spec?.revision) return withRollout(records, toSuperseded(turn, latest));
  const to = baseOf(records.assignment, facts.format);
  const why = `nothing to change: ${revisionText(to)} is what nodes run`;
  return withRollout(records, { ...toEnded(facts, latest), phase: 'Succeeded', to, why });
}

function toEnded({ now }: RolloutFacts, rollout: Rollout): Rollout {
  return { ...without(rollout, 'hint', 'code', 'reason'), since: now, endedAt: now };
}
