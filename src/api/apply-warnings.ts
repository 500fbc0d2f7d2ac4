import { type ChainLink, compareInChain, findOrderCause } from '../model/chain-order.ts';
import { toTieText } from '../model/chain-text.ts';
import { findMissingReferences, toMissingText } from '../model/missing-references.ts';
import type { NodeIdentity, NodePresence } from '../model/node.ts';
import { toListenerFacts } from '../model/plugin-listeners.ts';
import { findPlaces } from '../model/plugin-place.ts';
import { isOciUrl, type PluginSpec, toPluginName } from '../model/plugin-spec.ts';
import { derivePluginState, type NodePluginState, toMissText } from '../model/plugin-state.ts';
import type { ResourceSpec } from '../model/resource.ts';
import { toRevisionConfig } from '../model/revision.ts';
import { toPlacement } from '../model/rollout-targets.ts';
import { findSelectionMiss, type Selecting, selects } from '../model/selector.ts';
import type { ApiContext } from './api-context.ts';
import { censusOf } from './census.ts';
import type { Fleet } from './fleet.ts';
import { findGroupWarnings } from './node-groups.ts';

/** What a person should know about a plugin that is in order otherwise. */
export function findPluginWarnings(fleet: Fleet, spec: PluginSpec): string[] {
  const name = toPluginName(spec);
  const readOnceThere = onceThere(fleet, spec);
  const isAble = ableReader(spec);
  const states = findUnsure(fleet, presence => presence.connected && !isAble(presence))
    .filter(({ node }) => selects(spec, node, fleet.rootNamespace))
    .map(presence => ({ id: presence.node.id, state: readOnceThere(presence) }));
  const unable = states.filter(({ state }) => state.reason === 'NoPlace' || state.reason === 'NoV8');
  return [
    ...findGroupWarnings(spec),
    ...findMatchWarning(fleet, name, spec),
    ...unable.map(({ id, state }) => `${id} cannot run ${name}: ${state.detail}`),
    ...(spec.imagePullSecret === undefined || isOciUrl(spec.url)
      ? []
      : ['imagePullSecret is for registries: an http(s):// or file:// module is read without credentials']),
    ...findTies(fleet, spec),
  ];
}

/** Nodes of which that holds, in order; nodes that are alike are asked about once. */
function findUnsure(fleet: Fleet, isUnsure: (presence: NodePresence) => boolean): readonly NodePresence[] {
  const { alike, apart } = censusOf(fleet);
  const some = alike.some(({ nodes }) => isUnsure(nodes[0])) || apart.some(isUnsure);
  return some ? fleet.nodes.filter(isUnsure) : [];
}

/**
 * Whether a node certainly has a place for the plugin, whatever stands there: most nodes have, and this costs 0.2 µs a
 * node where the whole state costs 2. `false`: the state tells.
 */
function ableReader(spec: PluginSpec): (presence: NodePresence) => boolean {
  const name = toPluginName(spec);
  const choice = {
    phase: spec.phase ?? 'UNSPECIFIED_PHASE',
    everywhere:
      (spec.match ?? []).length === 0 && (spec.targetRefs ?? []).every(({ kind }) => kind !== 'Listener'),
  };
  return presence => {
    const { filterChain, wasm } = presence.node.capabilities;
    // Without filter_chain another plugin may stand in a place: what the node said of it would matter.
    return wasm && filterChain && findPlaces(name, choice, presence, []).some(({ certain }) => certain);
  };
}

/** As if its revision were made already, and the node were to run it. */
function onceThere(fleet: Fleet, spec: PluginSpec): (presence: NodePresence) => NodePluginState {
  const { namespace, name } = spec;
  const side = { revision: 1, placement: toPlacement(spec), format: 1 };
  const config = toRevisionConfig(spec);
  return presence =>
    derivePluginState({
      plugin: { namespace, name },
      presence,
      verdicts: fleet.verdicts.get(presence.node.id) ?? [],
      side,
      assignedAt: 0,
      config: () => config,
      rootNamespace: fleet.rootNamespace,
      now: fleet.now,
    });
}

/** Other plugins of the same phase and priority on a connected node: nobody said which comes first. */
function findTies(fleet: Fleet, spec: PluginSpec): string[] {
  const { rootNamespace } = fleet;
  const own = toLink(spec);
  const rivals = [...fleet.specs.values()]
    .map(stored => stored.value)
    .filter(other => other.deleted === undefined && toPluginName(other) !== own.plugin)
    .filter(other => toLink(other).phase === own.phase && toLink(other).priority === own.priority);
  if (rivals.length === 0) return [];
  const nodes = fleet.nodes
    .filter(({ connected, node }) => connected && selects(spec, node, rootNamespace))
    .map(({ node }) => node);
  // A fleet has many nodes and few kinds of them: one of each is asked, unless ids are what chooses.
  const kinds = [...new Map(nodes.map(node => [toKind(node), node])).values()];
  return rivals
    .filter(other => {
      const namesIds = other.targetRefs?.some(({ members }) => members?.nodes !== undefined) === true;
      return (namesIds ? nodes : kinds).some(node => selects(other, node, rootNamespace));
    })
    .map(other => {
      const [first, second] = [own, toLink(other)].toSorted(compareInChain(rootNamespace));
      const cause = first && second && findOrderCause(first, second, rootNamespace);
      return first && second && cause ? toTieText(first, second, cause) : undefined;
    })
    .filter(text => text !== undefined);
}

/** All that selectors look at, but the id. */
function toKind({ namespace, labels }: NodeIdentity): string {
  return JSON.stringify([namespace, Object.entries(labels)]);
}

function toLink({ namespace, name, createdAt, phase, priority }: PluginSpec): ChainLink {
  return {
    plugin: toPluginName({ namespace, name }),
    createdAt,
    phase: phase ?? 'UNSPECIFIED_PHASE',
    priority: priority ?? 0,
  };
}

/** What a resource names and its nodes are not given. `resources`: all documents, this one among them or not. */
export function findMissingWarnings(
  { findReferences, rootNamespace }: Pick<ApiContext, 'findReferences' | 'rootNamespace'>,
  fleet: Pick<Fleet, 'nodes'>,
  spec: ResourceSpec,
  resources: Iterable<ResourceSpec>,
): string[] {
  const nodes = fleet.nodes.filter(({ connected }) => connected).map(({ node }) => node);
  const word = `${spec.type.replace(/s$/, '')} ${spec.namespace}/${spec.name}`;
  return findMissingReferences(spec, resources, nodes, findReferences, rootNamespace).map(missing =>
    toMissingText(word, missing),
  );
}

/** Ports that listeners of the Envoys' own bootstraps have; where they listen is not known. */
export function findPortWarnings(
  { rootNamespace }: Pick<ApiContext, 'rootNamespace'>,
  fleet: Pick<Fleet, 'nodes'>,
  spec: ResourceSpec,
): string[] {
  if (spec.type !== 'listeners') return [];
  const { name, port } = toListenerFacts(spec.resource);
  const taken = fleet.nodes.flatMap(({ connected, node }) => {
    if (!connected || port === 0 || !selects(spec, node, rootNamespace)) return [];
    const own = node.bootstrap.listeners?.find(one => one.port === port && one.name !== name);
    return own === undefined ? [] : [{ node: node.id, listener: own.name }];
  });
  const [first] = taken;
  if (first === undefined) return [];
  const more = taken.length === 1 ? '' : `, and ${taken.length - 1} more nodes have the like`;
  return [
    `listener ${spec.namespace}/${spec.name} is on port ${port}, which the bootstrap of ${first.node} gives its own listener ${first.listener}${more}: Envoy refuses it if the address is the same`,
  ];
}

/** Says which namespace or label differs when a document selects none of the nodes that are known. */
export function findMatchWarning(fleet: Fleet, name: string, selecting: Selecting): string[] {
  if (fleet.nodes.some(({ node }) => selects(selecting, node, fleet.rootNamespace))) return [];
  const nodes = fleet.nodes.map(presence => presence.node);
  const misses = nodes.map(node => findSelectionMiss(selecting, node, fleet.rootNamespace));
  // The node that fails last is the nearest one: a wrong label says more than a wrong namespace.
  const nearest = misses.find(miss => miss?.what !== 'namespace') ?? misses[0];
  if (nearest === undefined) return [`${name} matches no node: no node has connected yet`];
  const namespaces = [...new Set(nodes.map(node => node.namespace))].toSorted().join(', ');
  const count = nodes.length === 1 ? 'your 1 node is' : `your ${nodes.length} nodes are`;
  if (nearest.what === 'namespace')
    return [
      `${name} matches no node. It selects namespace ${nearest.wanted}; ${count} in namespace ${namespaces}. ` +
        `Put the node there: attache bootstrap --namespace ${nearest.wanted} …, ` +
        'or drop metadata.namespace from the document',
    ];
  const example = nodes[misses.indexOf(nearest)]?.id;
  return [`${name} matches no node, ${example} for instance: ${toMissText(nearest)}`];
}
