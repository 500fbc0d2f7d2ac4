import type { Moved } from '../model/assignment.ts';
import { toNamesText } from '../model/quantity-text.ts';
import { quarantine } from './hold-back.ts';
import { findRefusals } from './refusals.ts';
import type { RolloutRecords } from './rollout-facts.ts';
import { toFirstText } from './rollout-text.ts';
import { latestOf, type Rule } from './rollout-turn.ts';

/**
 * What a rollout left behind (it was superseded, or stopped where it was) and a node refuses now is taken off the
 * nodes that still have it: a refused revision stays nowhere.
 */
export const dropLeftBehind: Rule = (turn, records) => {
  const { facts } = turn;
  const { assignment } = records;
  for (const entry of findLeftBehind(records)) {
    const { revision } = entry.side;
    const nodes = findRefusals(facts, entry, entry.since).map(({ node }) => node);
    if (assignment === undefined || nodes.length === 0) continue;
    turn.tell(
      'rollout.dropped',
      `${facts.plugin}: revision ${revision}, left on nodes by ${entry.rollout}, was refused by ${toFirstText(nodes)}: those that have it leave it`,
      nodes[0],
    );
    const moved = assignment.moved.filter(known => known !== entry);
    const next = { ...records, assignment: { ...assignment, moved } };
    if (assignment.base.revision === revision) return next;
    const text = `was refused by ${toNamesText(nodes, 1)}`;
    return quarantine(facts, next, revision, { rollout: entry.rollout, cause: 'refused', text });
  }
  return records;
};

function findLeftBehind(records: RolloutRecords): readonly Moved[] {
  const latest = latestOf(records);
  const { moved = [] } = records.assignment ?? {};
  return moved.filter(({ rollout }) => rollout !== latest?.id || latest.endedAt !== undefined);
}
