import { type Assignment, isSameAim, type Side } from '../model/assignment.ts';
import type { RolloutIntent } from '../model/rollout-intent.ts';
import { findUndoTarget, foundNothingToDo, wasLive } from '../model/undo-target.ts';
import { begin } from './begin-rollout.ts';
import { holdTarget } from './desired-side.ts';
import { lift, quarantine } from './hold-back.ts';
import type { StrategyChoice } from './new-rollout.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import type { Turn } from './rollout-turn.ts';

/** Inside this time an undo needs no steps: what it goes back to was there a short while ago. */
export const UNDO_WINDOW_MS = 72 * 3_600_000;

/**
 * Starts the way back to the good side before, or to a revision. undefined: there is nothing to go back to, or it is
 * there already.
 */
export function undo(turn: Turn, records: RolloutRecords, intent: RolloutIntent): RolloutRecords | undefined {
  const { facts } = turn;
  const { assignment } = records;
  if (assignment === undefined) return undefined;
  const to = findUndoSide(facts, assignment, records, intent);
  if (to === undefined || (isSameAim(to, assignment.base) && assignment.moved.length === 0)) return undefined;
  return begin(turn, holdUndone(facts, records, assignment, to, intent), {
    kind: 'undo',
    to,
    by: intent.by,
    note: intent.message,
    strategy: chooseStrategy(facts, records, assignment, to),
    intent: intent.id,
  });
}

function findUndoSide(
  { revisions, format }: RolloutFacts,
  assignment: Assignment,
  { rollouts }: RolloutRecords,
  { to }: RolloutIntent,
): Side | undefined {
  if (to !== undefined && !revisions.has(to)) return undefined;
  const target = findUndoTarget(assignment, rollouts, to);
  return target && { ...target, format };
}

/** All at once where it was live a short while ago, or where nodes only go back to what is. */
function chooseStrategy(
  { spec, now }: RolloutFacts,
  { rollouts }: RolloutRecords,
  { base }: Assignment,
  to: Side,
): StrategyChoice {
  const isRecent = rollouts.some(
    rollout =>
      rollout.from.revision === to.revision &&
      wasLive(rollout) &&
      now - (rollout.endedAt ?? 0) <= UNDO_WINDOW_MS,
  );
  return isRecent || isSameAim(to, base)
    ? { preset: 'all-at-once', inHaste: true }
    : { document: spec?.value.rollout };
}

/**
 * What is undone is not brought back by the document that asked for it, nor by the next apply of the same file. Who
 * names a revision to go back to wants it, whatever became of it before.
 */
function holdUndone(
  facts: RolloutFacts,
  records: RolloutRecords,
  assignment: Assignment,
  to: Side,
  { by, message }: RolloutIntent,
): RolloutRecords {
  const { base } = assignment;
  // What was stopped where it was is held since then.
  if (isSameAim(to, base)) return records;
  // A document that was deleted and is back asks for nothing that would have to be kept off.
  const isRestored = base.revision === null && facts.spec?.value.deleted === undefined;
  const held = isRestored
    ? records
    : { ...records, assignment: holdTarget(facts, assignment, base.revision) };
  const undone = records.rollouts.findLast(
    rollout =>
      rollout.to?.revision === base.revision && rollout.phase === 'Succeeded' && !foundNothingToDo(rollout),
  );
  // Where only the selector is undone the content goes on running.
  if (base.revision === to.revision || undone === undefined) return held;
  const text = `was undone by ${by}${message === undefined || message === '' ? '' : ` (${JSON.stringify(message)})`}`;
  const lifted = lift(facts, held, to.revision);
  return quarantine(facts, lifted, base.revision, { rollout: undone.id, cause: 'undone', text, by });
}
