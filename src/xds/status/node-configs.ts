import type { NodeIdentity, NodePresence } from '../../model/node.ts';
import type { NodeConfig } from '../../model/node-config.ts';
import type { NodeVerdict } from '../../model/node-verdict.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { ResourceStates } from './resource-states.ts';
import { toNodeConfig } from './to-node-config.ts';

/** The status of nodes as it stands now; nothing of it is kept. */
export interface NodeConfigs {
  /** Every Envoy that is connected or was and is not forgotten, by id. */
  nodes(): readonly NodeIdentity[];
  /** undefined: no such node. */
  read(nodeId: string): NodeConfig | undefined;
}

export interface NodeConfigSources {
  readonly presences: () => Iterable<NodePresence>;
  readonly presence: (nodeId: string) => NodePresence | undefined;
  readonly verdict: (nodeId: string, slot: string) => NodeVerdict | undefined;
  readonly snapshot: (nodeId: string) => Snapshot | undefined;
  readonly states: ResourceStates;
}

export function createNodeConfigs(sources: NodeConfigSources): NodeConfigs {
  return {
    nodes: () =>
      [...sources.presences()]
        .map(({ node }) => node)
        .sort((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id))),
    read(nodeId) {
      const presence = sources.presence(nodeId);
      if (presence === undefined) return undefined;
      return toNodeConfig({
        presence,
        verdict: slot => sources.verdict(nodeId, slot),
        snapshot: sources.snapshot(nodeId),
        states: sources.states.of(nodeId),
      });
    },
  };
}
