import { holds, type Moved } from '../model/assignment.ts';
import type { NodeVerdict, RefusedContent } from '../model/node-verdict.ts';
import { PHASES } from '../model/plugin-spec.ts';
import type { GateRefusal } from './judge-gates.ts';
import type { RolloutFacts } from './rollout-facts.ts';

/*
 * A refusal is read from `refused`, not from `state`: the state moves on as soon as the last good content is back,
 * and a reader of the store may skip what lay between. A refusal from before a node was moved belongs to an earlier
 * try.
 */

/** Nodes of a moved entry that refused its revision, oldest first. */
export function findRefusals(facts: RolloutFacts, entry: Moved, since: number): readonly GateRefusal[] {
  return collect(facts, entry, since, ({ refused }) => namesIt(facts, entry, refused));
}

/** The same, where Envoy named no plugin: this one may be meant, and others that stand in that place. */
export function findUnnamedRefusals(
  facts: RolloutFacts,
  entry: Moved,
  since: number,
): readonly GateRefusal[] {
  const revision = entry.side.revision;
  const phase = (revision === null ? undefined : facts.revisions.get(revision))?.config.phase;
  const place = PHASES.find(row => row.phase === phase)?.slot ?? '';
  return collect(
    facts,
    entry,
    since,
    ({ slot, refused }) =>
      refused?.plugin === undefined && place !== '' && (slot === place || slot.startsWith(`${place}/`)),
  );
}

function namesIt({ plugin }: RolloutFacts, { side }: Moved, refused: RefusedContent | null): boolean {
  return side.revision !== null && refused?.plugin === plugin && refused.revision === side.revision;
}

function collect(
  { fleet, refusing }: RolloutFacts,
  entry: Moved,
  since: number,
  counts: (verdict: NodeVerdict) => boolean,
): readonly GateRefusal[] {
  const found = new Map<string, GateRefusal>();
  for (const id of refusing) {
    if (!holds(entry, id)) continue;
    for (const verdict of fleet.get(id)?.verdicts ?? []) {
      const { refused } = verdict;
      if (refused === null || refused.at < since || !counts(verdict)) continue;
      const known = found.get(id);
      if (known === undefined || refused.at < known.at)
        found.set(id, { node: id, text: refused.message, at: refused.at });
    }
  }
  return [...found.values()].sort((a, b) => a.at - b.at || (a.node < b.node ? -1 : 1));
}
