import type { ChainLink } from './chain-order.ts';
import type { ListenerFacts, NodePresence } from './node.ts';
import { type ListenerChoice, matchesEveryListener, matchesListener } from './plugin-listeners.ts';
import { isPlaceOf } from './plugin-place.ts';
import { PHASES, type Phase } from './plugin-spec.ts';

/** A plugin at the revision that a node is to run. */
export interface NodeLink extends ChainLink, ListenerChoice {
  readonly revision: number;
}

/** Where a node has a chain. */
export interface ChainPlace {
  /** null: a place that does not say which listener it is on. */
  readonly listener: string | null;
  /** The listener, several of them, or `every listener`. */
  readonly where: string;
  /** Whether one of the node's plugins stands here; they are asked for in chain order. */
  holds(link: NodeLink): boolean;
}

/**
 * Where plugins can stand on a node: on the listeners that its places name, and on those that are known for places
 * without a listener. `served` are those that Attaché serves it.
 */
export function findChainPlaces(
  presence: NodePresence,
  served: readonly ListenerFacts[],
): readonly ChainPlace[] {
  const own = presence.node.bootstrap.listeners ?? [];
  return presence.node.capabilities.filterChain
    ? findChainLayout(presence, served, own)
    : findSingleLayout(presence, served, own);
}

/**
 * A slot for each phase, of one listener or of several; a node that has asked for none yet gets all of them. A bootstrap
 * may have places named after plugins instead.
 */
function findChainLayout(
  { node: { namespace }, slots }: NodePresence,
  served: readonly ListenerFacts[],
  own: readonly ListenerFacts[],
): readonly ChainPlace[] {
  const known = [...served, ...own];
  if (slots.length === 0)
    return known.map(listener => toPlace(listener.name, link => belongs(link, [listener])));
  const bareListeners = (slot: string): readonly ListenerFacts[] => [
    ...served.filter(({ name }) => !slots.includes(`${slot}/${name}`)),
    ...own,
  ];
  const inBare = (link: NodeLink): boolean => {
    const slot = slotOf(link.phase);
    return slots.includes(slot) && belongs(link, bareListeners(slot));
  };
  const isPlugin = ({ plugin }: NodeLink): boolean => slots.some(slot => isPlaceOf(slot, plugin, namespace));
  if (!slots.some(isPhasePlace)) return [toBarePlace(own, isPlugin)];
  const named = new Set(slots.map(findListenerName).filter(name => name !== undefined));
  const places = [...named].sort().map(name => {
    const facts = known.filter(listener => listener.name === name);
    const isNamed = ({ phase }: NodeLink): boolean => slots.includes(`${slotOf(phase)}/${name}`);
    return toPlace(name, link => (isNamed(link) ? belongs(link, facts) : inBare(link)));
  });
  const others = known.filter(({ name }) => !named.has(name));
  const hasBare = PHASES.some(({ slot }) => slots.includes(slot));
  // Where every known listener is named, the bare places are on one of these.
  return hasBare && (others.length > 0 || named.size === 0)
    ? [...places, toBarePlace(others, inBare)]
    : places;
}

/**
 * A listener that Attaché serves gets a place for each plugin that belongs on it. Of the others it is known that the
 * node asked for a plugin by name, or for a phase, whose place holds one plugin.
 */
function findSingleLayout(
  { node, slots }: NodePresence,
  served: readonly ListenerFacts[],
  own: readonly ListenerFacts[],
): readonly ChainPlace[] {
  const places = served.map(listener => toPlace(listener.name, link => belongs(link, [listener])));
  if (served.length > 0 && own.length === 0) return places;
  const isNamed = ({ plugin }: NodeLink): boolean =>
    slots.some(slot => isPlaceOf(slot, plugin, node.namespace));
  const taken = new Map<Phase, NodeLink>();
  const isFirst = (link: NodeLink): boolean => {
    if (!slots.includes(slotOf(link.phase)) || !belongs(link, own)) return false;
    if (!taken.has(link.phase)) taken.set(link.phase, link);
    return taken.get(link.phase)?.plugin === link.plugin;
  };
  if (slots.length === 0 && own.length === 0) return places;
  return [...places, toBarePlace(own, link => isNamed(link) || isFirst(link))];
}

function toPlace(listener: string, holds: ChainPlace['holds']): ChainPlace {
  return { listener, where: listener, holds };
}

function toBarePlace(listeners: readonly ListenerFacts[], holds: ChainPlace['holds']): ChainPlace {
  const [first, ...more] = listeners.map(({ name }) => name);
  if (first === undefined) return { listener: null, where: 'every listener', holds };
  return more.length === 0
    ? toPlace(first, holds)
    : { listener: null, where: [first, ...more].join(', '), holds };
}

/** What is meant for some listeners only is left out where nobody knows which one it is. */
function belongs(link: NodeLink, listeners: readonly ListenerFacts[]): boolean {
  if (listeners.length === 0) return matchesEveryListener(link);
  return listeners.every(listener => matchesListener(link, listener));
}

function slotOf(phase: Phase): string {
  return PHASES.find(row => row.phase === phase)?.slot ?? '';
}

function isPhasePlace(name: string): boolean {
  return PHASES.some(({ slot }) => name === slot || name.startsWith(`${slot}/`));
}

function findListenerName(slot: string): string | undefined {
  const phase = PHASES.find(row => slot.startsWith(`${row.slot}/`));
  return phase && slot.slice(phase.slot.length + 1);
}
