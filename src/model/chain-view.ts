import { type Assignment, findSide, revisionOn, type Side } from './assignment.ts';
import { compareInChain, findOrderCause, type OrderCause } from './chain-order.ts';
import { type ChainPlace, findChainPlaces, type NodeLink } from './chain-place.ts';
import { toTieText, toWhyText } from './chain-text.ts';
import type { ListenerFacts, NodePresence } from './node.ts';
import { findOnlyListeners } from './plugin-listeners.ts';
import { type PluginName, parsePluginName } from './plugin-spec.ts';
import type { RevisionConfig } from './revision.ts';

/** A plugin in the chain of a listener. */
export interface ChainEntry {
  readonly plugin: PluginName;
  readonly revision: number;
  readonly phase: RevisionConfig['phase'];
  readonly priority: number;
  /** What put it behind the one before it, and the same in words; null: it is the first. */
  readonly cause: OrderCause | null;
  readonly why: string | null;
}

/**
 * What a request passes on a listener, in order, before the router: by phase, as Attaché places them. Who writes the
 * places into a listener himself decides their order.
 */
export interface ListenerChain {
  /** null: a place that does not say which listener it is on. */
  readonly listener: string | null;
  /** The listener, several of them, or `every listener`. */
  readonly where: string;
  readonly entries: readonly ChainEntry[];
  /** Sentences: two plugins of one phase and priority, and what decided between them. */
  readonly ties: readonly string[];
}

/** Nodes whose chain on a listener is the same before, and the same after. */
export interface ChainGroup extends Pick<ListenerChain, 'listener' | 'where'> {
  /** node.ids, in the order they were given. */
  readonly nodes: readonly string[];
  readonly layout: 'chain' | 'single';
  readonly before: readonly ChainEntry[];
  readonly after: readonly ChainEntry[];
  /** The same plugins in the same order, whatever their revisions. */
  readonly order: 'unchanged' | 'changed';
  /** The listener itself is sent again, and its connections drain: only before Envoy 1.39. */
  readonly listenerUpdate: boolean;
  /** Of the chain after. */
  readonly ties: readonly string[];
}

/** Which side of a plugin a node is taken to be on: `findSide`, or what would be. */
export type PickSide = (assignment: Assignment, nodeId: string) => Side;

export interface ChainInput {
  /** Of all plugins; one that is not stored yet has none as its base. */
  readonly assignments: readonly Assignment[];
  /** undefined: there is no such revision, so that it stands nowhere. */
  config(
    plugin: PluginName,
    revision: number,
  ): Pick<RevisionConfig, 'phase' | 'priority' | 'match'> | undefined;
  /**
   * Listeners with an HTTP connection manager that Attaché serves the node (toListenerFacts of their documents); its
   * bootstrap's own are known from what it says.
   */
  listenersOf(presence: NodePresence): readonly ListenerFacts[];
  readonly rootNamespace: string;
}

/** The chains of a node, by listener. Pure. Empty: the node has no place, and no listener is known. */
export function viewChains(
  presence: NodePresence,
  input: ChainInput,
  pickSide: PickSide = findSide,
): readonly ListenerChain[] {
  const { node } = presence;
  const served = input.listenersOf(presence);
  const links = node.capabilities.wasm ? collectLinks(presence, input, pickSide) : [];
  return findChainPlaces(presence, served).map(place => toListenerChain(place, links, input.rootNamespace));
}

/** The chains of nodes under two ways to pick sides, equal ones as one group; all places, changed or not. Pure. */
export function compareChains(
  nodes: readonly NodePresence[],
  input: ChainInput,
  before: PickSide,
  after: PickSide,
): readonly ChainGroup[] {
  const groups = new Map<string, ChainGroup & { readonly nodes: string[] }>();
  for (const presence of nodes) {
    const old = viewChains(presence, input, before);
    for (const [i, next] of viewChains(presence, input, after).entries()) {
      const one = toGroup(presence, old[i]?.entries ?? [], next, input);
      const key = JSON.stringify(one);
      const group = groups.get(key) ?? { ...one, nodes: [] };
      group.nodes.push(presence.node.id);
      groups.set(key, group);
    }
  }
  return [...groups.values()];
}

function toGroup(
  presence: NodePresence,
  before: readonly ChainEntry[],
  { entries: after, ties, listener, where }: ListenerChain,
  input: ChainInput,
): ChainGroup {
  const names = (entries: readonly ChainEntry[]): string => entries.map(({ plugin }) => plugin).join(' ');
  const order = names(before) === names(after) ? 'unchanged' : 'changed';
  const isSingle = !presence.node.capabilities.filterChain;
  const isServed = input.listenersOf(presence).some(({ name }) => name === listener);
  return {
    nodes: [],
    layout: isSingle ? 'single' : 'chain',
    listener,
    where,
    before,
    after,
    order,
    listenerUpdate: isSingle && isServed && order === 'changed',
    ties,
  };
}

function collectLinks(
  { node }: NodePresence,
  { assignments, config, rootNamespace }: ChainInput,
  pickSide: PickSide,
): readonly NodeLink[] {
  return assignments
    .flatMap((assignment): readonly NodeLink[] => {
      const { plugin, createdAt } = assignment;
      const name = parsePluginName(plugin);
      const side = pickSide(assignment, node.id);
      const revision = revisionOn(side, name, node, rootNamespace);
      const found = revision === null ? undefined : config(plugin, revision);
      if (revision === null || found === undefined) return [];
      const onlyListeners = findOnlyListeners(name, side.placement, node, rootNamespace);
      const { phase, priority, match } = found;
      return [{ plugin, createdAt, phase, priority, match, onlyListeners, revision }];
    })
    .sort(compareInChain(rootNamespace));
}

function toListenerChain(
  place: ChainPlace,
  links: readonly NodeLink[],
  rootNamespace: string,
): ListenerChain {
  const here = links.filter(link => place.holds(link));
  const ties: string[] = [];
  const entries = here.map((link, i) => {
    const before = here[i - 1];
    const cause = (before && findOrderCause(before, link, rootNamespace)) ?? null;
    if (before !== undefined && cause !== null && cause !== 'phase' && cause !== 'priority')
      ties.push(toTieText(before, link, cause));
    const { plugin, revision, phase, priority } = link;
    const why = before === undefined || cause === null ? null : toWhyText(before, link, cause);
    return { plugin, revision, phase, priority, cause, why };
  });
  return { listener: place.listener, where: place.where, entries, ties };
}
