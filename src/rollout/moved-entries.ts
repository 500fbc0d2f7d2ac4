import { type Assignment, holds, type Moved } from '../model/assignment.ts';
import { findInSlot } from '../model/plugin-place.ts';
import type { Rollout } from '../model/rollout.ts';
import { movedBy, withoutMoved } from '../model/rollout-moves.ts';
import { isSameList } from '../model/same-list.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import type { Rule } from './rollout-turn.ts';

/** Nodes that a person took out run what was proven, whichever rollout had moved them. */
export const leaveOutExcluded: Rule = ({ facts }, records) => {
  const { assignment, nodes } = records;
  if (assignment === undefined || assignment.moved.length === 0) return records;
  const moved = assignment.moved.map(entry => withoutExcluded(facts, entry));
  const isSame = isSameList(moved, assignment.moved);
  const left = nodes && withoutMoved(nodes, facts.excluded);
  if (isSame && left === nodes) return records;
  return { ...records, assignment: isSame ? assignment : { ...assignment, moved }, nodes: left };
};

/** What a rollout left on nodes that all have been moved on since is left nowhere. */
export const dropCovered: Rule = (_turn, records) => {
  const { assignment } = records;
  if (assignment === undefined || assignment.moved.length < 2) return records;
  const { moved } = assignment;
  if (KEPT.has(moved)) return records;
  const left = moved.filter(({ nodes }, index) => {
    const later = moved.slice(index + 1);
    if (later.length === 0) return true;
    return nodes === 'everyone' || nodes.some(id => !later.some(entry => holds(entry, id)));
  });
  if (left.length < moved.length) return { ...records, assignment: { ...assignment, moved: left } };
  KEPT.add(moved);
  return records;
};

/** Lists of which each entry still holds a node of its own: they are long, and the same from decision to decision. */
const KEPT = new WeakSet<readonly Moved[]>();

/** Sides that rollouts before this one left behind stay below its own. */
export function belowEntry(assignment: Assignment, rollout: string): Assignment {
  const index = assignment.moved.findIndex(entry => entry.rollout === rollout);
  return index === -1 ? assignment : { ...assignment, moved: assignment.moved.slice(0, index) };
}

/** From now on nobody else: neither nodes that join nor those that were gone when they were moved. */
export function stopMoving(
  facts: RolloutFacts,
  { assignment, nodes }: RolloutRecords,
  rollout: Rollout,
): Assignment | undefined {
  if (assignment === undefined) return undefined;
  const stay = [...movedBy(nodes).keys()].filter(id => hasHeardOf(facts, rollout, id));
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

export function withEntry(assignment: Assignment, entry: Moved): Assignment {
  const moved = assignment.moved.map(known => (known.rollout === entry.rollout ? entry : known));
  return { ...assignment, moved };
}
