import { type Assignment, isSameAim, type Side } from '../model/assignment.ts';
import type { RolloutKind } from '../model/rollout.ts';

/** Whether two sides are the same state of a fleet. */
export function isSameSide(a: Side, b: Side): boolean {
  return isSameAim(a, b) && (a.revision === null || a.format === b.format);
}

export function kindOf(from: Side, to: Side): RolloutKind {
  if (to.revision === null) return 'delete';
  if (from.revision === null) return 'install';
  if (from.revision !== to.revision) return 'update';
  return isSameAim(from, to) && !isSameSide(from, to) ? 'format' : 'placement';
}

/** What a plugin that was never rolled out runs. */
export function nowhere(format: number): Side {
  return { revision: null, placement: {}, format };
}

/** Where nodes are that no rollout moves. */
export function baseOf(assignment: Assignment | undefined, format: number): Side {
  return assignment?.base ?? nowhere(format);
}

export function revisionText({ revision }: Side): string {
  return revision === null ? 'none' : `revision ${revision}`;
}
