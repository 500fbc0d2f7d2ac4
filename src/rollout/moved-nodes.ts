import { type Assignment, holds, type Moved } from '../model/assignment.ts';
import { windowOf } from '../model/metric-window.ts';
import { findInSlot } from '../model/plugin-place.ts';
import type { RequestCount, Rollout, RolloutNodes } from '../model/rollout.ts';
import { hashFraction, inWave } from '../model/rollout-plan.ts';
import { isTarget } from './node-arrival.ts';
import type { FleetNode, RolloutFacts, RolloutRecords } from './rollout-facts.ts';
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

/** Nodes that a person took out run what was proven, whichever rollout had moved them. */
export const leaveOutExcluded: Rule = ({ facts }, records) => {
  const { assignment, nodes } = records;
  if (assignment === undefined || assignment.moved.length === 0) return records;
  const moved = assignment.moved.map(entry => withoutExcluded(facts, entry));
  const isSame = moved.every((entry, index) => entry === assignment.moved[index]);
  const gone = Object.keys(nodes?.movedAt ?? {}).filter(id => facts.excluded.has(id));
  if (isSame && gone.length === 0) return records;
  return {
    ...records,
    assignment: isSame ? assignment : { ...assignment, moved },
    nodes: nodes && { ...nodes, movedAt: omit(nodes.movedAt, gone) },
  };
};

/** What a rollout left on nodes that all have been moved on since is left nowhere. */
export const dropCovered: Rule = (_turn, records) => {
  const { assignment } = records;
  if (assignment === undefined || assignment.moved.length < 2) return records;
  const { moved } = assignment;
  const left = moved.filter(({ nodes }, index) => {
    const later = moved.slice(index + 1);
    if (later.length === 0) return true;
    return nodes === 'everyone' || nodes.some(id => !later.some(entry => holds(entry, id)));
  });
  return left.length === moved.length ? records : { ...records, assignment: { ...assignment, moved: left } };
};

/** Sides that rollouts before this one left behind stay below its own. */
export function belowEntry(assignment: Assignment, rollout: string): Assignment {
  const index = assignment.moved.findIndex(entry => entry.rollout === rollout);
  return index === -1 ? assignment : { ...assignment, moved: assignment.moved.slice(0, index) };
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

/** From now on nobody else: neither nodes that join nor those that were gone when they were moved. */
export function stopMoving(
  facts: RolloutFacts,
  { assignment, nodes }: RolloutRecords,
  rollout: Rollout,
): Assignment | undefined {
  if (assignment === undefined) return undefined;
  const stay = Object.keys(nodes?.movedAt ?? {}).filter(id => hasHeardOf(facts, rollout, id));
  const moved = assignment.moved.map(entry => (entry.rollout === rollout.id ? withList(entry, stay) : entry));
  return { ...assignment, moved };
}

/** It is connected, so that it was sent; or it had it when it went. */
function hasHeardOf({ fleet, plugin }: RolloutFacts, { to }: Rollout, id: string): boolean {
  const { presence, verdicts = [] } = fleet.get(id) ?? {};
  if (presence?.connected === true) return true;
  const held = verdicts.map(({ accepted }) => findInSlot(accepted, plugin)?.revision ?? null);
  return to?.revision === null ? held.every(one => one === null) : held.includes(to?.revision ?? null);
}

function withList({ except: _except, ...entry }: Moved, nodes: readonly string[]): Moved {
  return { ...entry, nodes };
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

function withoutExcluded({ excluded }: RolloutFacts, entry: Moved): Moved {
  if (excluded.size === 0 && entry.except === undefined) return entry;
  if (entry.nodes !== 'everyone') {
    const nodes = entry.nodes.filter(id => !excluded.has(id));
    return nodes.length === entry.nodes.length ? entry : { ...entry, nodes };
  }
  const except = [...excluded].sort();
  const isSame = JSON.stringify(entry.except ?? []) === JSON.stringify(except);
  const { except: _except, ...rest } = entry;
  return isSame ? entry : except.length === 0 ? rest : { ...rest, except };
}

function withEntry(assignment: Assignment, entry: Moved): Assignment {
  const moved = assignment.moved.map(known => (known.rollout === entry.rollout ? entry : known));
  return { ...assignment, moved };
}

function omit<V>(record: Readonly<Record<string, V>>, keys: readonly string[]): Readonly<Record<string, V>> {
  return Object.fromEntries(Object.entries(record).filter(([key]) => !keys.includes(key)));
}
