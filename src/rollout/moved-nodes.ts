import { type Assignment, holds, type Moved } from '../model/assignment.ts';
import { windowOf } from '../model/metric-window.ts';
import type { RequestCount, Rollout, RolloutNodes } from '../model/rollout.ts';
import { movedBy, ranksOf, targetsOf, withMove } from '../model/rollout-moves.ts';
import { hashFraction, inWave } from '../model/rollout-plan.ts';
import type { FleetNode } from './fleet-node.ts';
import { belowEntry, withEntry } from './moved-entries.ts';
import { targetTest } from './node-arrival.ts';
import { partsOf } from './roll-call.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { latestOf, type Rule } from './rollout-turn.ts';

/*
 * Which nodes a rollout has moved. The set only grows, but for nodes that a person takes out: what is moved follows
 * from the step that was reached, the order that was fixed at the start, and the nodes that joined since.
 */

const BEFORE_MS = 60_000;

/** Moves the nodes whose turn has come, and those that joined on the moved side. */
export const moveNodes: Rule = (turn, records) => {
  const { facts } = turn;
  const rollout = latestOf(records);
  const { assignment, nodes } = records;
  if (rollout === undefined || assignment === undefined || nodes === undefined || !isMoving(rollout))
    return records;
  const entry = assignment.moved.find(({ rollout: id }) => id === rollout.id);
  if (entry === undefined) return records;
  const isDue = toDueTest(facts, rollout, assignment, nodes);
  const purpose = toPurpose(facts, rollout, assignment, nodes);
  const unseen = facts.rollCall.toMove.list(purpose);
  if (unseen !== undefined && !someLeft(facts, { assignment, nodes, entry, isDue }, unseen)) {
    facts.rollCall.toMove.seen(purpose);
    return records;
  }
  const next = move(facts, records, rollout, { assignment, nodes, entry, isDue });
  // Whoever was due is moved now.
  facts.rollCall.toMove.seen(toPurpose(facts, rollout, next.assignment, next.nodes));
  return next;
};

/** All that the outcome rests on beside the nodes. */
function toPurpose(
  { spec, revisions }: RolloutFacts,
  rollout: Rollout,
  assignment: Assignment | undefined,
  nodes: RolloutNodes | undefined,
): readonly unknown[] {
  const { to, strategy } = rollout;
  const configs = [to, assignment?.base].map(side => revisions.get(side?.revision ?? -1)?.config);
  const reach = [reachOf(rollout), isLastStep(rollout)];
  const parts = to === null ? [] : partsOf(spec?.value, to);
  return [to, ...reach, strategy, assignment, nodes, ...parts, ...configs];
}

/** Whether any of these is due and was not moved yet. */
function someLeft({ fleet }: RolloutFacts, { nodes, entry, isDue }: Moving, ids: Iterable<string>): boolean {
  const moved = movedBy(nodes);
  for (const id of ids) {
    const isMoved = (moved.has(id) || !fleet.has(id)) && holds(entry, id);
    if (!isMoved && isDue(id)) return true;
  }
  return false;
}

interface Moving {
  readonly assignment: Assignment;
  readonly nodes: RolloutNodes;
  readonly entry: Moved;
  isDue(id: string): boolean;
}

function move(
  facts: RolloutFacts,
  records: RolloutRecords,
  rollout: Rollout,
  { assignment, nodes, entry, isDue }: Moving,
): RolloutRecords {
  const { fleet } = facts;
  const targets = targetsOf(nodes.order);
  const there = targets.reduce((count, id) => count + Number(fleet.has(id)), 0);
  const joined = there === fleet.size ? [] : findJoined(facts, nodes, isDue);
  const reached = rollout.to === null ? [] : findReached(facts, rollout, targets);
  const due = joined.length === 0 || rollout.to === null ? reached : [...reached, ...joined];
  const list =
    entry.nodes === 'everyone' || entry.nodes.length === 0 ? due : [...new Set([...entry.nodes, ...due])];
  const moved: Moved = {
    ...entry,
    nodes: entry.nodes === 'everyone' || isLastStep(rollout) ? 'everyone' : list,
  };
  const grown = moved.nodes !== 'everyone' && moved.nodes.length === entry.nodes.length ? entry : moved;
  const isThere = there === targets.length && list === due;
  const nextNodes = recordMoves(facts, rollout, nodes, isThere ? list : list.filter(id => fleet.has(id)));
  const changed = grown.nodes === entry.nodes ? assignment : withEntry(assignment, grown);
  if (changed === assignment && nextNodes === nodes) return records;
  return { ...records, assignment: changed, nodes: nextNodes };
}

/** Whether the step that reaches every target has begun. */
export function isLastStep({ steps, step, stage }: Rollout): boolean {
  return step === steps.length - 1 && stage !== 'Waiting';
}

/** Targets whose turn has come, over all waves. */
export function reachOf({ steps, step, stage }: Rollout): number {
  if (stage !== 'Waiting') return steps[step]?.reaches ?? 0;
  return steps.slice(0, step).findLast(({ state }) => state === 'passed')?.reaches ?? 0;
}

function isMoving({ phase, reason }: Rollout): boolean {
  if (phase === 'Paused') return reason !== 'Failure';
  return phase === 'Progressing' || phase === 'Baking';
}

function findReached(
  { excluded }: RolloutFacts,
  rollout: Rollout,
  targets: readonly string[],
): readonly string[] {
  const reach = reachOf(rollout);
  const reached = reach === targets.length ? targets : targets.slice(0, reach);
  return excluded.size === 0 ? reached : reached.filter(id => !excluded.has(id));
}

/** Nodes that are no targets, and whose turn has come. */
function findJoined(
  { fleet }: RolloutFacts,
  { order }: RolloutNodes,
  isDue: Moving['isDue'],
): readonly string[] {
  const ranks = ranksOf(order);
  return [...fleet.keys()].filter(id => !ranks.has(id) && isDue(id));
}

/** Whose turn has come: of the targets by their rank, of those that joined as if they had been ranked. */
function toDueTest(
  facts: RolloutFacts,
  rollout: Rollout,
  assignment: Assignment,
  { order }: RolloutNodes,
): Moving['isDue'] {
  const { to, id: rolloutId } = rollout;
  const reach = reachOf(rollout);
  const below = belowEntry(assignment, rolloutId);
  const shares = sharesOf(rollout, order);
  if (to === null) return () => false;
  const isTarget = targetTest(facts, below, to);
  return id => {
    if (facts.excluded.has(id)) return false;
    const rank = ranksOf(order).get(id);
    if (rank !== undefined) return rank < reach;
    const node = facts.fleet.get(id);
    if (node === undefined) return false;
    const share = shares[waveOf(rollout, node)] ?? 0;
    return (share === 1 || hashFraction(rolloutId, id) < share) && isTarget(node);
  };
}

/** By wave, which share of it was reached; a wave without a target is reached with the one before it. */
function sharesOf(rollout: Rollout, order: RolloutNodes['order']): readonly number[] {
  const reached = reachOf(rollout);
  let start = 0;
  return order.map(wave => {
    const into = reached - start;
    start += wave.length;
    if (isLastStep(rollout)) return 1;
    return wave.length === 0 ? Number(into > 0) : Math.min(1, Math.max(0, into / wave.length));
  });
}

function waveOf({ strategy: { waves } }: Rollout, { presence }: FleetNode): number {
  const found = waves.findIndex(({ selector }) => selector === null || inWave(selector, presence));
  return found === -1 ? waves.length - 1 : found;
}

/** Notes when nodes that are there were moved, and what they had answered before. */
function recordMoves(
  { metrics, now }: RolloutFacts,
  { step }: Rollout,
  nodes: RolloutNodes,
  moved: readonly string[],
): RolloutNodes {
  const known = movedBy(nodes);
  const fresh = known.size === 0 ? moved : moved.filter(id => !known.has(id));
  if (fresh.length === 0) return nodes;
  const before: Record<string, RequestCount> = {};
  for (const id of fresh) {
    const pushed = metrics(id);
    const window = pushed && windowOf(pushed, now - BEFORE_MS, now);
    if (window !== undefined) before[id] = { requests: window.requests, errors5xx: window.errors5xx };
  }
  return withMove({ ...nodes, before: { ...nodes.before, ...before } }, { at: now, step }, fresh);
}
