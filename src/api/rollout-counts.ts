import { isDone } from '../model/plugin-state.ts';
import type { RolloutFacts } from './rollout-facts.ts';
import type { RolloutView } from './schema/rollout-view.ts';

/** How far a rollout is, in nodes. What a later rollout did to them is not counted. */
export function countRollout(facts: RolloutFacts): RolloutView['counts'] {
  const { rollout, moves, latest, states } = facts;
  const { targets, steps, step, phase, failure } = rollout;
  const moved = Object.keys(moves?.movedAt ?? {});
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
