import { ofEach } from './of-each.ts';
import type { RolloutMove, RolloutNodes } from './rollout.ts';

/** Nodes that a rollout moved, in that order, each with the move that it was part of. */
export type MovedNodes = ReadonlyMap<string, RolloutMove>;

const NOBODY: MovedNodes = new Map();

/** All targets in their order: one list for one order. */
export const targetsOf = ofEach((order: RolloutNodes['order']): readonly string[] =>
  order.length === 1 ? (order[0] ?? []) : order.flat(),
);

/** By list of moves: it is asked about node after node. */
const made = new WeakMap<RolloutNodes['moves'], MovedNodes>();

/** The same map for as long as nothing more is moved. */
export function movedBy(nodes: Pick<RolloutNodes, 'order' | 'moves'> | undefined): MovedNodes {
  if (nodes === undefined) return NOBODY;
  const known = made.get(nodes.moves);
  if (known !== undefined) return known;
  const moved = new Map<string, RolloutMove>();
  for (const move of nodes.moves)
    if (move.nodes !== 'targets') for (const id of move.nodes) moved.set(id, move);
    else for (const wave of nodes.order) for (const id of wave) if (!moved.has(id)) moved.set(id, move);
  made.set(nodes.moves, moved);
  return moved;
}

/** With one more move: of nodes that were not moved yet, targets in their order before others. */
export function withMove(
  nodes: RolloutNodes,
  { at, step }: Pick<RolloutMove, 'at' | 'step'>,
  ids: readonly string[],
): RolloutNodes {
  const left = findLeft(nodes, ids.length);
  const isRest = left.length > 0 && (left === ids || left.every((id, i) => id === ids[i]));
  const named = isRest ? ids.slice(left.length) : ids;
  const moves = [
    ...nodes.moves,
    ...(isRest ? [{ at, step, nodes: 'targets' } as const] : []),
    ...(named.length > 0 ? [{ at, step, nodes: named }] : []),
  ];
  return { ...nodes, moves };
}

/** Targets that were not moved yet, in their order; none where they are more than so many. */
function findLeft(nodes: RolloutNodes, most: number): readonly string[] {
  const moved = movedBy(nodes);
  const targets = targetsOf(nodes.order);
  if (targets.length - moved.size > most) return [];
  const left = moved.size === 0 ? targets : targets.filter(id => !moved.has(id));
  return left.length > most ? [] : left;
}

/** As if these had never been moved. */
export function withoutMoved(nodes: RolloutNodes, ids: ReadonlySet<string>): RolloutNodes {
  if (ids.size === 0) return nodes;
  const moved = movedBy(nodes);
  if (![...ids].some(id => moved.has(id))) return nodes;
  const moves = nodes.moves.map(move => {
    const of = move.nodes === 'targets' ? [...moved.keys()].filter(id => moved.get(id) === move) : move.nodes;
    return { ...move, nodes: of.filter(id => !ids.has(id)) };
  });
  return { ...nodes, moves: moves.filter(move => move.nodes.length > 0) };
}
