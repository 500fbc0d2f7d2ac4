import type { NodePresence } from '../model/node.ts';
import { mayFail } from '../model/node-health.ts';
import { type Situation, situationOf } from '../model/node-situation.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';
import type { Fleet } from './fleet.ts';

/** The nodes of a fleet, so that what is found of one counts for all that are like it. */
export interface Census {
  /** Nodes of one situation each, in the order of `fleet.nodes`; none is empty. */
  readonly alike: readonly NodesAlike[];
  /** Nodes of which each is looked at: what they said has a time of its own, they may fail, or a person took them out. */
  readonly apart: readonly NodePresence[];
}

export interface NodesAlike {
  readonly nodes: readonly [NodePresence, ...NodePresence[]];
  /** Of the first of them. */
  readonly verdicts: readonly NodeVerdict[];
}

/** An answer asks for each of its plugins; nodes are others in each. */
const known = new WeakMap<Fleet['nodes'], Census>();

export function censusOf(fleet: Pick<Fleet, 'nodes' | 'verdicts' | 'policies' | 'metrics'>): Census {
  const before = known.get(fleet.nodes);
  if (before !== undefined) return before;
  const alike = new Map<
    Situation,
    { nodes: [NodePresence, ...NodePresence[]]; verdicts: readonly NodeVerdict[] }
  >();
  const apart: NodePresence[] = [];
  const { policies } = fleet;
  const verdictsOf = fleet.verdicts.inTurn?.() ?? (id => fleet.verdicts.get(id));
  for (const presence of fleet.nodes) {
    const { id } = presence.node;
    const verdicts = verdictsOf(id) ?? [];
    const isOut = policies.size > 0 && policies.get(id)?.excluded !== undefined;
    const isOwn = isOut || mayFail(fleet.metrics(id));
    const situation = isOwn ? undefined : situationOf(presence, verdicts);
    const known = situation && alike.get(situation);
    if (situation === undefined) apart.push(presence);
    else if (known === undefined) alike.set(situation, { nodes: [presence], verdicts: [...verdicts] });
    else known.nodes.push(presence);
  }
  const census = { alike: [...alike.values()], apart };
  known.set(fleet.nodes, census);
  return census;
}
