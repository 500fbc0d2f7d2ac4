import type { NodePresence } from '../model/node.ts';
import { mayFail } from '../model/node-health.ts';
import { type Situation, situationOf } from '../model/node-situation.ts';
import type { Fleet } from './fleet.ts';

/** The nodes of a fleet, so that what is found of one counts for all that are like it. */
export interface Census {
  /** Nodes of one situation each, in the order of `fleet.nodes`; none is empty. */
  readonly alike: readonly NodesAlike[];
  /** Nodes of which each is looked at: what they said has a time of its own, they may fail, or a person took them out. */
  readonly apart: readonly NodePresence[];
}

export type NodesAlike = readonly [NodePresence, ...NodePresence[]];

/** An answer asks for each of its plugins; nodes are others in each. */
const known = new WeakMap<Fleet['nodes'], Census>();

export function censusOf(fleet: Pick<Fleet, 'nodes' | 'verdicts' | 'policies' | 'metrics'>): Census {
  const before = known.get(fleet.nodes);
  if (before !== undefined) return before;
  const alike = new Map<Situation, [NodePresence, ...NodePresence[]]>();
  const apart: NodePresence[] = [];
  const { verdicts, policies } = fleet;
  for (const presence of fleet.nodes) {
    const { id } = presence.node;
    const isOwn = policies.get(id)?.excluded !== undefined || mayFail(fleet.metrics(id));
    const situation = isOwn ? undefined : situationOf(presence, verdicts.get(id) ?? []);
    const nodes = situation && alike.get(situation);
    if (situation === undefined) apart.push(presence);
    else if (nodes === undefined) alike.set(situation, [presence]);
    else nodes.push(presence);
  }
  const census = { alike: [...alike.values()], apart };
  known.set(fleet.nodes, census);
  return census;
}
