import type { NodePresence } from './node.ts';
import type { NodeVerdict, PluginInSlot } from './node-verdict.ts';
import { PHASES, type Phase, type PluginName, sha256Hex } from './plugin-spec.ts';

/** A slot of a node that can hold a plugin, and what the node said about its content. */
export interface Place {
  readonly slot: string;
  /** Of the process that runs now, or ran last; undefined: nothing was pushed into the slot. */
  readonly verdict: NodeVerdict | undefined;
  /** The plugin is to be in this very slot, so that waiting for it makes sense. */
  readonly certain: boolean;
}

/** What decides which slots of a node are for a plugin. */
export interface PlaceChoice {
  readonly phase: Phase;
  /** Neither `match` nor Listener references choose among the listeners. */
  readonly everywhere: boolean;
}

/** What is pushed into a slot to see whether the node reaches us: no plugin, and no news about any. */
export const PROBE_NAME: PluginName = 'attache/probe';
/** Of its module, which nobody has. */
export const PROBE_SHA256 = sha256Hex('attache/probe: no module has this content');

/**
 * The slots of a node that can hold a plugin: the one with its own name, its phase's bare slot, and its phase's
 * slots per listener. Which listeners `match` and targetRefs choose is for compile to know: such a plugin is only
 * expected where it was seen. `verdicts` are the node's; those of other nodes and processes are left out.
 */
export function findPlaces(
  plugin: PluginName,
  { phase, everywhere }: PlaceChoice,
  presence: NodePresence,
  verdicts: readonly NodeVerdict[],
): readonly Place[] {
  const { slots, node } = presence;
  const phaseSlot = PHASES.find(row => row.phase === phase)?.slot ?? '';
  const ownPlace = slots.some(slot => isPlaceOf(slot, plugin, node.namespace));
  const places: Place[] = [];
  for (const slot of slots) {
    const isOwn = ownPlace && isPlaceOf(slot, plugin, node.namespace);
    if (!isOwn && !isOfPhase(slot, phaseSlot)) continue;
    const verdict = verdicts.findLast(one => one.slot === slot && isPresent(one, presence));
    const place = { slot, verdict, certain: ownPlace ? isOwn : everywhere };
    if (isOwn || !isTakenByAnother(place, plugin, presence)) places.push(place);
  }
  return places;
}

/** A phase's bare slot, or one of it for a listener. */
function isOfPhase(slot: string, phaseSlot: string): boolean {
  return slot.startsWith(phaseSlot) && (slot.length === phaseSlot.length || slot[phaseSlot.length] === '/');
}

/** Of the process that runs now, or ran last. */
function isPresent(verdict: NodeVerdict, { node, process }: NodePresence): boolean {
  return verdict.process === process && verdict.node === node.id;
}

/** A slot whose content holds a plugin, or may: what was sent of it was not answered yet. */
export interface HoldingPlace {
  readonly slot: string;
  readonly verdict: NodeVerdict;
}

/** Where a plugin stands on a node, or may, wherever it is to be: in the order of the node's slots. */
export function findHolding(
  plugin: PluginName,
  presence: NodePresence,
  verdicts: readonly NodeVerdict[],
): readonly HoldingPlace[] {
  const { slots } = presence;
  const holding: HoldingPlace[] = [];
  for (const verdict of verdicts) {
    const { slot, accepted, tried } = verdict;
    const mayHold =
      findInSlot(accepted, plugin) !== undefined ||
      (findInSlot(tried, plugin) !== undefined && isUnanswered(verdict));
    if (mayHold && isPresent(verdict, presence) && slots.includes(slot)) holding.push({ slot, verdict });
  }
  return holding.length < 2 ? holding : holding.sort((a, b) => slots.indexOf(a.slot) - slots.indexOf(b.slot));
}

/**
 * The Envoy may still take what was sent last in place of what it accepted. One that accepted something fetches
 * because it did not take the newer content: it does so when that is sent again, and not before.
 */
export function isUnanswered({ tried, accepted, state }: NodeVerdict): boolean {
  if (tried === null || tried.contentHash === accepted?.contentHash || isProbe(tried.plugins)) return false;
  return state === 'sent' || state === 'accepted' || (state === 'fetching' && accepted === null);
}

export function isProbe(plugins: readonly PluginInSlot[]): boolean {
  return plugins.some(entry => entry.plugin === PROBE_NAME);
}

/** Without filter_chain a bare phase slot holds one plugin, and another one stands in it. */
function isTakenByAnother({ verdict }: Place, plugin: PluginName, presence: NodePresence): boolean {
  if (presence.node.capabilities.filterChain) return false;
  const inIt = verdict?.tried?.plugins ?? [];
  return inIt.length > 0 && !isProbe(inIt) && !inIt.some(entry => entry.plugin === plugin);
}

/** Whether a slot bears the plugin's name; without a namespace it means the node's own. */
export function isPlaceOf(slot: string, plugin: PluginName, nodeNamespace: string): boolean {
  if (slot.length === plugin.length) return slot === plugin;
  // Asked for every slot of every node: most of them need not be put together to see that they are too long.
  const isAsLong = nodeNamespace.length + 1 + slot.length === plugin.length;
  return isAsLong && !slot.includes('/') && `${nodeNamespace}/${slot}` === plugin;
}

/** A plugin's entry in some content. */
export function findInSlot(
  content: { readonly plugins: readonly PluginInSlot[] } | null | undefined,
  plugin: PluginName,
): PluginInSlot | undefined {
  if (content === null || content === undefined) return undefined;
  for (const entry of content.plugins) if (entry.plugin === plugin) return entry;
  return undefined;
}
