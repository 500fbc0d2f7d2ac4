import { ofEach } from './of-each.ts';
import type { RolloutMove, RolloutNodes } from './rollout.ts';
import { isSameList } from './same-list.ts';

/** All targets in their order: one list for one order. */
export const targetsOf = ofEach((order: RolloutNodes['order']): readonly string[] =>
  order.length === 1 ? (order[0] ?? []) : order.flat(),
);

/** By target, its place in the order, from 0 on. */
export const ranksOf = ofEach(
  (order: RolloutNodes['order']): ReadonlyMap<string, number> =>
    new Map(targetsOf(order).map((id, rank) => [id, rank])),
);

/** Nodes that a rollout moved, in that order, each with the move that it was part of. */
export class MovedNodes {
  /** By node, its place in the order, from 0 on. */
  readonly ranks: ReadonlyMap<string, number>;
  readonly moveAt: (rank: number) => RolloutMove | undefined;

  constructor(ranks: ReadonlyMap<string, number>, moveAt: (rank: number) => RolloutMove | undefined) {
    this.ranks = ranks;
    this.moveAt = moveAt;
  }

  get size(): number {
    return this.ranks.size;
  }

  has(id: string): boolean {
    return this.ranks.has(id);
  }

  get(id: string): RolloutMove | undefined {
    const rank = this.ranks.get(id);
    return rank === undefined ? undefined : this.moveAt(rank);
  }

  keys(): IterableIterator<string> {
    return this.ranks.keys();
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, RolloutMove]> {
    for (const [id, rank] of this.ranks) {
      const move = this.moveAt(rank);
      if (move !== undefined) yield [id, move];
    }
  }
}

const NOBODY = new MovedNodes(new Map(), () => undefined);

/** By list of moves: it is asked about node after node. */
const made = new WeakMap<RolloutNodes['moves'], MovedNodes>();

/** The same for as long as nothing more is moved. */
export function movedBy(nodes: Pick<RolloutNodes, 'order' | 'moves'> | undefined): MovedNodes {
  if (nodes === undefined) return NOBODY;
  const known = made.get(nodes.moves);
  if (known !== undefined) return known;
  const moved = toMoved(nodes);
  made.set(nodes.moves, moved);
  return moved;
}

/** Where all targets were moved at once, by the ranks that these have: to rank 5,000 nodes takes 4 ms. */
function toMoved({ order, moves }: Pick<RolloutNodes, 'order' | 'moves'>): MovedNodes {
  const [first] = moves;
  if (moves.length === 1 && first?.nodes === 'targets') return new MovedNodes(ranksOf(order), () => first);
  const ranks = new Map<string, number>();
  const byRank: RolloutMove[] = [];
  for (const move of moves)
    for (const id of move.nodes === 'targets' ? targetsOf(order) : move.nodes) {
      const rank = ranks.get(id);
      if (rank === undefined) ranks.set(id, byRank.push(move) - 1);
      else if (move.nodes !== 'targets') byRank[rank] = move;
    }
  return new MovedNodes(ranks, rank => byRank[rank]);
}

/** `order`, or the one before it where that says the same: what was found by it is known then. */
export function sameOrder(
  order: RolloutNodes['order'],
  before: RolloutNodes['order'] | undefined,
): RolloutNodes['order'] {
  return before !== undefined && isSameList(order, before, isSameList) ? before : order;
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
