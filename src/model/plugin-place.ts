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

/** What the process that runs now, or ran last, said of its slots. */
export type VerdictsBySlot = ReadonlyMap<string, NodeVerdict>;

/** Those of the node's present process; others are left out. */
export function indexVerdicts(
  { node, process }: NodePresence,
  verdicts: readonly NodeVerdict[],
): VerdictsBySlot {
  const bySlot = new Map<string, NodeVerdict>();
  for (const verdict of verdicts)
    if (verdict.process === process && verdict.node === node.id) bySlot.set(verdict.slot, verdict);
  return bySlot;
}

/**
 * The slots of a node that can hold a plugin: the one with its own name, its phase's bare slot, and its phase's
 * slots per listener. Which listeners `match` and targetRefs choose is for compile to know: such a plugin is only
 * expected where it was seen.
 */
export function findPlaces(
  plugin: PluginName,
  { phase, everywhere }: PlaceChoice,
  presence: NodePresence,
  verdicts: VerdictsBySlot,
): readonly Place[] {
  const phaseSlot = PHASES.find(row => row.phase === phase)?.slot ?? '';
  const isOwn = (slot: string): boolean => isPlaceOf(slot, plugin, presence.node.namespace);
  const fits = (slot: string): boolean =>
    isOwn(slot) || slot === phaseSlot || slot.startsWith(`${phaseSlot}/`);
  const ownPlace = presence.slots.some(isOwn);
  return presence.slots
    .filter(fits)
    .map(slot => ({
      slot,
      verdict: verdicts.get(slot),
      certain: ownPlace ? isOwn(slot) : everywhere,
    }))
    .filter(place => isOwn(place.slot) || !isTakenByAnother(place, plugin, presence));
}

/** A slot whose content holds a plugin, or may: what was sent of it was not answered yet. */
export interface HoldingPlace {
  readonly slot: string;
  readonly verdict: NodeVerdict;
}

/** Where a plugin stands on a node, or may, wherever it is to be. */
export function findHolding(
  plugin: PluginName,
  presence: NodePresence,
  verdicts: VerdictsBySlot,
): readonly HoldingPlace[] {
  const holding: HoldingPlace[] = [];
  for (const slot of presence.slots) {
    const verdict = verdicts.get(slot);
    if (verdict === undefined) continue;
    const isHeld = findInSlot(verdict.accepted, plugin) !== undefined;
    if (isHeld || (findInSlot(verdict.tried, plugin) !== undefined && isUnanswered(verdict)))
      holding.push({ slot, verdict });
  }
  return holding;
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
  return slot === plugin || (!slot.includes('/') && `${nodeNamespace}/${slot}` === plugin);
}

/** A plugin's entry in some content. */
export function findInSlot(
  content: { readonly plugins: readonly PluginInSlot[] } | null | undefined,
  plugin: PluginName,
): PluginInSlot | undefined {
  return content?.plugins.find(entry => entry.plugin === plugin);
}
