import { type Assignment, isSameAim, type Placement, type Side } from './assignment.ts';
import type { Rollout } from './rollout.ts';

/** What an undo goes back to; how it is compiled is the rollout stage's. */
export type UndoTarget = Pick<Side, 'revision' | 'placement'>;

/**
 * Where an undo leads while no rollout is active: to the revision that was named (`to`), else to the good side before.
 * undefined: there is nothing to go back to. `rollouts`: of the plugin, oldest first.
 */
export function findUndoTarget(
  { base, moved }: Assignment,
  rollouts: readonly Rollout[],
  to: number | undefined,
): UndoTarget | undefined {
  if (to !== undefined) return { revision: to, placement: findPlacement(base, rollouts, to) };
  // A rollout that was stopped where it was left nodes on its side.
  if (moved.length > 0) return base;
  const last = rollouts.findLast(
    rollout =>
      rollout.kind !== 'format' &&
      (rollout.kind !== 'undo' || rollout.phase === 'Succeeded') &&
      !foundNothingToDo(rollout),
  );
  // What did not succeed has gone back by itself, and what was undone is back; an undo that failed left it.
  if (last?.phase !== 'Succeeded' || last.kind === 'undo') return undefined;
  return last.from;
}

/** Whether nodes were to run its side for good. */
export function wasLive({ phase }: Rollout): boolean {
  return phase === 'Succeeded' || phase === 'Reverted';
}

/** A document that waited for its module asked for what is there: it ended without a step, and there is nothing to undo. */
export function foundNothingToDo({ from, to, targets, steps }: Rollout): boolean {
  return to !== null && isSameAim(from, to) && targets === 0 && steps.length === 0;
}

/** Where the plugin is nowhere, the nodes that had the revision last. */
function findPlacement(base: Side, rollouts: readonly Rollout[], to: number): Placement {
  const known = rollouts.findLast(rollout => rollout.to?.revision === to && wasLive(rollout));
  return base.revision === null && known?.to ? known.to.placement : base.placement;
}
