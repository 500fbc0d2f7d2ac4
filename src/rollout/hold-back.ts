import { isSameAim } from '../model/assignment.ts';
import type { Quarantine } from '../model/fleet-records.ts';
import type { Rollout } from '../model/rollout.ts';
import { findDesired, holdTarget, withoutHold } from './desired-side.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';

/** Why content is not to be tried again for its plugin, whatever the selector. */
export type Cause = Pick<Quarantine, 'rollout' | 'cause' | 'text' | 'by'>;

/** Keeps what a rollout was to bring from being tried again by itself. `cause` undefined: only this very document. */
export function holdBack(
  facts: RolloutFacts,
  records: RolloutRecords,
  { to }: Rollout,
  cause: Cause | undefined,
): RolloutRecords {
  const { assignment } = records;
  if (to === null || assignment === undefined) return records;
  const desired = findDesired(facts);
  const isWanted = desired.kind === 'side' && isSameAim(desired.side, to);
  const held = isWanted ? { ...records, assignment: holdTarget(facts, assignment, to.revision) } : records;
  // What runs where it was proven stays what it is: only its way to other nodes failed.
  const isProven = assignment.base.revision === to.revision;
  return cause === undefined || isProven ? held : quarantine(facts, held, to.revision, cause);
}

/** Puts the content of a revision into quarantine; null: there is none. */
export function quarantine(
  { plugin, revisions, now }: RolloutFacts,
  records: RolloutRecords,
  revision: number | null,
  cause: Cause,
): RolloutRecords {
  const content = revision === null ? undefined : revisions.get(revision);
  if (content === undefined || revision === null) return records;
  const { contentHash } = content;
  const known = new Map(records.quarantine);
  known.set(contentHash, { plugin, contentHash, revision, ...cause, at: now });
  return { ...records, quarantine: known };
}

/** Takes the content of a revision out of quarantine. */
export function lift(
  { revisions }: RolloutFacts,
  records: RolloutRecords,
  revision: number | null,
): RolloutRecords {
  const hash = revision === null ? undefined : revisions.get(revision)?.contentHash;
  if (hash === undefined || !records.quarantine.has(hash)) return records;
  const known = new Map(records.quarantine);
  known.delete(hash);
  return { ...records, quarantine: known };
}

/** An undo that is taken back leaves what it was to undo as it was. */
export function liftUndone(facts: RolloutFacts, records: RolloutRecords, { from }: Rollout): RolloutRecords {
  const { assignment } = records;
  const hash = from.revision === null ? undefined : facts.revisions.get(from.revision)?.contentHash;
  const isUndone = hash !== undefined && records.quarantine.get(hash)?.cause === 'undone';
  const lifted = isUndone ? lift(facts, records, from.revision) : records;
  if (assignment?.held?.revision !== from.revision) return lifted;
  return { ...lifted, assignment: assignment && withoutHold(assignment) };
}
