import type { Assignment, Moved } from '../model/assignment.ts';
import { windowOf } from '../model/metric-window.ts';
import type { RequestCount, Rollout, RolloutNodes } from '../model/rollout.ts';
import { hashFraction, inWave } from '../model/rollout-plan.ts';
import { belowEntry, withEntry } from './moved-entries.ts';
import { isTarget } from './node-arrival.ts';
import type { FleetNode, RolloutFacts } from './rollout-facts.ts';
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
  const due = findDue(facts, rollout, assignment, nodes);
  const list = entry.nodes === 'everyone' ? due : [...new Set([...entry.nodes, ...due])];
  const moved: Moved = {
    ...entry,
    nodes: entry.nodes === 'everyone' || isLastStep(rollout) ? 'everyone' : list,
  };
  const grown = moved.nodes !== 'everyone' && moved.nodes.length === entry.nodes.length ? entry : moved;
  const nextNodes = recordMoves(facts, rollout, nodes, list);
  const changed = grown.nodes === entry.nodes ? assignment : withEntry(assignment, grown);
  if (changed === assignment && nextNodes === nodes) return records;
  return { ...records, assignment: changed, nodes: nextNodes };
};

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

function findDue(
  facts: RolloutFacts,
  rollout: Rollout,
  assignment: Assignment,
  { order }: RolloutNodes,
): readonly string[] {
  const { to } = rollout;
  if (to === null) return [];
  const ranked = order.flat();
  const known = new Set(ranked);
  const below = belowEntry(assignment, rollout.id);
  const shares = sharesOf(rollout, order);
  const joined = [...facts.fleet].filter(
    ([id, node]) =>
      !known.has(id) &&
      hashFraction(rollout.id, id) < (shares[waveOf(rollout, node)] ?? 0) &&
      isTarget(facts, below, node, to),
  );
  return [...ranked.slice(0, reachOf(rollout)), ...joined.map(([id]) => id)].filter(
    id => !facts.excluded.has(id),
  );
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

function waveOf({ strategy: { waves } }: Rollout, { presence: { node, connected } }: FleetNode): number {
  const { id, zone, labels } = node;
  const found = waves.findIndex(
    ({ selector }) => selector === null || inWave(selector, { id, connected, zone, labels }),
  );
  return found === -1 ? waves.length - 1 : found;
}

/** Notes when a node was moved, and what it had answered before. */
function recordMoves(
  { fleet, metrics, now }: RolloutFacts,
  { step }: Rollout,
  nodes: RolloutNodes,
  moved: readonly string[],
): RolloutNodes {
  const fresh = moved.filter(id => nodes.movedAt[id] === undefined && fleet.has(id));
  if (fresh.length === 0) return nodes;
  const before: Record<string, RequestCount> = {};
  for (const id of fresh) {
    const window = windowOf(metrics(id), now - BEFORE_MS, now);
    if (window !== undefined) before[id] = { requests: window.requests, errors5xx: window.errors5xx };
  }
  const movedAt = Object.fromEntries(fresh.map(id => [id, { at: now, step }]));
  return {
    ...nodes,
    before: { ...nodes.before, ...before },
    movedAt: { ...nodes.movedAt, ...movedAt },
  };
}
