import type { Side } from '../model/assignment.ts';
import type { Rollout } from '../model/rollout.ts';
import type { RolloutIntent } from '../model/rollout-intent.ts';
import { begin } from './begin-rollout.ts';
import { holdTarget } from './desired-side.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import type { Turn } from './rollout-turn.ts';
import { isSameAim } from './sides.ts';

/** Inside this time an undo needs no steps: what it goes back to was there a short while ago. */
export const UNDO_WINDOW_MS = 72 * 3_600_000;

/**
 * Starts the way back to the good side before, or to a revision. undefined: there is nothing to go back to, or it is
 * there already.
 */
export function undo(turn: Turn, records: RolloutRecords, intent: RolloutIntent): RolloutRecords | undefined {
  const { facts } = turn;
  const { assignment } = records;
  const to = findUndoSide(facts, records, intent);
  if (assignment === undefined || to === undefined) return undefined;
  const undone = assignment.base;
  if (isSameAim(to, undone) && assignment.moved.length === 0) return undefined;
  const isRecent = records.rollouts.some(
    ({ from, phase, endedAt = 0 }) =>
      from.revision === to.revision && wasLive(phase) && facts.now - endedAt <= UNDO_WINDOW_MS,
  );
  const isLeftover = isSameAim(to, undone);
  const strategy =
    isRecent || isLeftover
      ? { preset: 'all-at-once', inHaste: true }
      : { document: facts.spec?.value.rollout };
  // A document that was deleted and is back asks for nothing that would have to be kept off.
  const isKeptOff = undone.revision !== null || facts.spec?.value.deleted !== undefined;
  const held = isKeptOff
    ? { ...records, assignment: holdTarget(facts, assignment, undone.revision) }
    : records;
  // Where only the selector is undone the content goes on running.
  const isContent = !isLeftover && undone.revision !== to.revision;
  const lifted = liftTarget(facts, held, to);
  const ready = isLeftover ? records : isContent ? quarantineUndone(turn, lifted, undone, intent) : held;
  return begin(turn, ready, {
    kind: 'undo',
    to,
    by: intent.by,
    note: intent.message,
    strategy,
    intent: intent.id,
  });
}

function findUndoSide(
  { revisions, format }: RolloutFacts,
  { assignment, rollouts }: RolloutRecords,
  { to }: RolloutIntent,
): Side | undefined {
  if (assignment === undefined) return undefined;
  if (to !== undefined) {
    if (!revisions.has(to)) return undefined;
    const known = rollouts.findLast(rollout => rollout.to?.revision === to && wasLive(rollout.phase));
    const { placement } = assignment.base.revision === null && known?.to ? known.to : assignment.base;
    return { revision: to, placement, format };
  }
  if (assignment.moved.length > 0) return assignment.base;
  const last = rollouts.findLast(
    ({ kind, phase }) => kind !== 'format' && (kind !== 'undo' || phase === 'Succeeded'),
  );
  // What did not succeed has gone back by itself, and what was undone is back; an undo that failed left it.
  if (last?.phase !== 'Succeeded' || last.kind === 'undo') return undefined;
  return { ...last.from, format };
}

function wasLive(phase: Rollout['phase']): boolean {
  return phase === 'Succeeded' || phase === 'Reverted';
}

/** Who names a revision wants it, whatever became of it before. */
function liftTarget(
  { revisions }: RolloutFacts,
  records: RolloutRecords,
  { revision }: Side,
): RolloutRecords {
  const hash = revision === null ? undefined : revisions.get(revision)?.contentHash;
  if (hash === undefined || !records.quarantine.has(hash)) return records;
  const quarantine = new Map(records.quarantine);
  quarantine.delete(hash);
  return { ...records, quarantine };
}

/** What was undone is not brought back by the next apply of the same file. */
function quarantineUndone(
  { facts }: Turn,
  records: RolloutRecords,
  { revision }: Side,
  { by, message }: RolloutIntent,
): RolloutRecords {
  const content = revision === null ? undefined : facts.revisions.get(revision);
  const rollout = records.rollouts.findLast(
    ({ to, phase }) => to?.revision === revision && phase === 'Succeeded',
  );
  if (content === undefined || revision === null || rollout === undefined) return records;
  const { plugin, contentHash } = content;
  const said = message === undefined || message === '' ? '' : ` (${JSON.stringify(message)})`;
  const quarantine = new Map(records.quarantine);
  quarantine.set(contentHash, {
    plugin,
    contentHash,
    revision,
    rollout: rollout.id,
    cause: 'undone',
    text: `was undone by ${by}${said}`,
    by,
    at: facts.now,
  });
  return { ...records, quarantine };
}
