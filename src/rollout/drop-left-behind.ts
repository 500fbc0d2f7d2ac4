import type { Moved } from '../model/assignment.ts';
import { toNamesText } from '../model/quantity-text.ts';
import { findRefusals } from './refusals.ts';
import { toFirstText } from './rollout-text.ts';
import { latestOf, type Rule } from './rollout-turn.ts';

/**
 * What a rollout left behind (it was superseded, or stopped where it was) and a node refuses now is taken off the
 * nodes that still have it: a refused revision stays nowhere.
 */
export const dropLeftBehind: Rule = (turn, records) => {
  const { facts } = turn;
  const { assignment } = records;
  const latest = latestOf(records);
  const left =
    assignment?.moved.filter(({ rollout }) => rollout !== latest?.id || latest.endedAt !== undefined) ?? [];
  for (const entry of left) {
    const refusals = findRefusals(facts, entry, entry.since);
    const { revision } = entry.side;
    const content = revision === null ? undefined : facts.revisions.get(revision);
    if (assignment === undefined || refusals.length === 0 || revision === null) continue;
    const nodes = refusals.map(({ node }) => node);
    turn.tell(
      'rollout.dropped',
      `${facts.plugin}: revision ${revision}, left on nodes by ${entry.rollout}, was refused by ${toFirstText(nodes)}: those that have it leave it`,
      nodes[0],
    );
    const moved = assignment.moved.filter(known => known !== entry);
    const quarantine = new Map(records.quarantine);
    if (content !== undefined && assignment.base.revision !== revision)
      quarantine.set(content.contentHash, toQuarantine(entry, content, nodes, facts.now));
    return { ...records, assignment: { ...assignment, moved }, quarantine };
  }
  return records;
};

function toQuarantine(
  { rollout }: Moved,
  content: { readonly plugin: string; readonly contentHash: string; readonly number: number },
  nodes: readonly string[],
  at: number,
) {
  const { plugin, contentHash, number: revision } = content;
  const text = `was refused by ${toNamesText(nodes, 1)}`;
  return { plugin, contentHash, revision, rollout, cause: 'refused', text, at } as const;
}
