import { type Assignment, findSide } from '../model/assignment.ts';
import { toChainText } from '../model/chain-text.ts';
import { type ChainEntry, type ChainGroup, compareChains } from '../model/chain-view.ts';
import type { NodePresence } from '../model/node.ts';
import type { PluginName } from '../model/plugin-spec.ts';
import { toCountText, toNamesText } from '../model/quantity-text.ts';
import { groupEqualNodes } from './equal-nodes.ts';
import { toChainInput } from './node-chains.ts';
import { NAMES_KEPT } from './plan-rollout.ts';
import { type PlanState, withAssignment } from './plan-state.ts';
import type { ChainLink, PlanChain } from './schema/plan-view.ts';

/** Where a plugin is, was or will be, and which plugins nobody put in an order there. */
export interface PlannedChains {
  readonly chains: PlanChain[];
  /** Sentences about ties that this plugin has a part in. */
  readonly ties: readonly string[];
}

/**
 * The chains of the connected nodes by listener, before and after a plugin's assignment changes; equal ones as one.
 * `state` knows the document and the revision already. Chains that the plugin is in neither before nor after are
 * left out.
 */
export function planChains(state: PlanState, before: Assignment, after: Assignment): PlannedChains {
  const { fleet, resources } = state;
  const { plugin } = before;
  const listeners = [...resources.values()].filter(({ type }) => type === 'listeners');
  const input = toChainInput(withAssignment(fleet, after), listeners);
  const equal = new Map(
    groupEqualNodes(
      fleet.nodes.filter(({ connected }) => connected),
      [...input.assignments, before],
      listeners,
    ).map(group => [group[0].node.id, group] as const),
  );
  const groups = compareChains(
    [...equal.values()].map(([first]) => first),
    input,
    (assignment, id) => findSide(assignment.plugin === plugin ? before : assignment, id),
    findSide,
  )
    .filter(group => [...group.before, ...group.after].some(entry => entry.plugin === plugin))
    .map(group => ({ ...group, nodes: group.nodes.flatMap(id => equal.get(id) ?? []) }));
  const ties = groups.flatMap(group => group.ties).filter(text => isAbout(text, plugin));
  return { chains: groups.map(toView), ties: [...new Set(ties)] };
}

/** The sentence names both, and names hold no space. */
function isAbout(text: string, plugin: PluginName): boolean {
  return text.split(' ').includes(plugin);
}

type NodesWithChain = Omit<ChainGroup, 'nodes'> & { readonly nodes: readonly NodePresence[] };

function toView(group: NodesWithChain): PlanChain {
  const { nodes, layout, where, order, listenerUpdate } = group;
  const namespace = nodes[0]?.node.namespace ?? '';
  const beforeText = toChainText(group.before, namespace);
  const afterText = toChainText(group.after, namespace);
  const names = nodes.map(({ node }) => node.id).toSorted();
  return {
    count: names.length,
    nodes: names.slice(0, NAMES_KEPT),
    layout,
    where,
    before: group.before.map(toLink),
    after: group.after.map(toLink),
    order,
    listenerUpdate,
    beforeText,
    afterText,
    text: `chain on ${toCountText(names.length, 'node')} (${toNamesText(names)}), ${toWhereText(where)}: ${toChangeText(group, beforeText, afterText)}`,
  };
}

function toLink({ plugin, revision, phase, priority, why }: ChainEntry): ChainLink {
  return { plugin, revision, phase, priority, why };
}

function toWhereText(where: string): string {
  return where === 'every listener' ? where : `${where.includes(', ') ? 'listeners' : 'listener'} ${where}`;
}

/** The chain itself where it stays as it is; what becomes of the listener. */
function toChangeText({ order, listenerUpdate }: NodesWithChain, before: string, after: string): string {
  const update = listenerUpdate ? 'the listener is updated, and its connections drain' : 'no listener update';
  return order === 'unchanged' && before === after
    ? `${after}; order unchanged, ${update}`
    : `order ${order}, ${update}`;
}
