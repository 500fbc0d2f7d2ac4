import { toChainText } from '../model/chain-text.ts';
import { type ChainInput, viewChains } from '../model/chain-view.ts';
import type { NodePresence } from '../model/node.ts';
import { toListenerFacts } from '../model/plugin-listeners.ts';
import type { ResourceSpec } from '../model/resource.ts';
import { selects } from '../model/selector.ts';
import { revisionKey } from '../store/record-kinds.ts';
import type { Fleet } from './fleet.ts';
import type { NodeView } from './schema/node-view.ts';

/** What a request passes on each listener of a node, and why in this order. `listeners`: raw ones, of any node. */
export function toNodeChains(
  fleet: Fleet,
  presence: NodePresence,
  listeners: readonly ResourceSpec[],
): NonNullable<NodeView['status']['chains']> {
  return viewChains(presence, toChainInput(fleet, listeners)).map(({ listener, where, entries, ties }) => ({
    listener,
    where,
    text: toChainText(entries, presence.node.namespace),
    plugins: entries.map(({ plugin, revision, phase, priority, why }) => ({
      plugin,
      revision,
      phase,
      priority,
      why,
    })),
    ties: [...ties],
  }));
}

/** What chains are made of. `listeners`: raw ones, of any node. */
export function toChainInput(fleet: Fleet, listeners: readonly ResourceSpec[]): ChainInput {
  const { rootNamespace } = fleet;
  return {
    assignments: [...fleet.assignments.values()],
    config: (plugin, revision) => fleet.revisions.get(revisionKey(plugin, revision))?.config,
    listenersOf: ({ node }) =>
      listeners
        .filter(spec => selects(spec, node, rootNamespace))
        .map(({ resource }) => toListenerFacts(resource)),
    rootNamespace,
  };
}
