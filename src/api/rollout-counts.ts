import { isDone } from '../model/plugin-state.ts';
import { movedBy } from '../model/rollout-moves.ts';
import type { RolloutFacts } from './rollout-facts.ts';
import type { RolloutView } from './schema/rollout-view.ts';

/**
 * The targets as they count now, and how many of them a step reaches when that many of the ranked ones are its own:
 * nodes that a person took out leave the count, nodes that joined on the moved side come to it.
 */
export function countTargets(
  { rollout, moves, fleet }: RolloutFacts,
  ranked = rollout.targets,
  step = rollout.steps.length,
): number {
  if (moves === undefined) return ranked;
  const until = rollout.endedAt ?? fleet.now;
  const isIn = (id: string) => (fleet.policies.get(id)?.excluded?.at ?? Number.POSITIVE_INFINITY) > until;
  const order = moves.order.flat();
  const known = new Set(order);
  const joined = [...movedBy(moves)].filter(([id, move]) => !known.has(id) && move.step <= step);
  return [...order.slice(0, ranked), ...joined.map(([id]) => id)].filter(isIn).length;
}

/** How far a rollout is, in nodes. What a later rollout did to them is not counted. */
export function countRollout(facts: RolloutFacts): RolloutView['counts'] {
  const { rollout, moves, latest, states } = facts;
  const { steps, step, phase, failure } = rollout;
  const targets = countTargets(facts);
  const moved = [...movedBy(moves).keys()];
  const reached = rollout.back?.touched ?? steps[step]?.reaches ?? 0;
  const touched = moves === undefined ? reached : moved.length;
  const some = { targets, touched, untouched: Math.max(0, targets - touched) };
  const failed = failure?.kind === 'refusal' ? failure.count : 0;
  if (!latest || states.size === 0) {
    const done = phase === 'Succeeded' || phase === 'Reverted' ? touched : 0;
    return { ...some, done, refused: failed, waiting: 0, disconnected: 0 };
  }
  const here = moved.flatMap(id => {
    const state = states.get(id);
    return state === undefined || state.lastKnown ? [] : [state];
  });
  const gone = [...states.values()].filter(state => state.lastKnown).length;
  const disconnected = gone + countForgotten(facts);
  if (rollout.back !== undefined) {
    const done = here.filter(state => state.revision === (rollout.to?.revision ?? null)).length;
    return { ...some, done, refused: failed, waiting: 0, disconnected };
  }
  const done = here.filter(isDone).length;
  const refused = here.filter(({ state }) => state === 'Refused').length;
  return { ...some, done, refused, waiting: here.length - done - refused, disconnected };
}

/** Targets that are not even known any more. */
function countForgotten({ moves, fleet }: RolloutFacts): number {
  const known = new Set(fleet.nodes.map(({ node }) => node.id));
  return (moves?.order.flat() ?? []).filter(id => !known.has(id)).length;
}
