import type { NodePresence } from './node.ts';
import type { NodeVerdict, PluginInSlot } from './node-verdict.ts';
import { PHASES, type PluginSpec, toPluginName } from './plugin-spec.ts';

/** A slot of a node that can hold a plugin, and what the node said about its content. */
export interface Place {
  readonly slot: string;
  /** Of the process that runs now, or ran last; undefined: nothing was pushed into the slot. */
  readonly verdict: NodeVerdict | undefined;
  /** The plugin is to be in this very slot, so that waiting for it makes sense. */
  readonly certain: boolean;
}

/**
 * The slots of a node that can hold a plugin: the one with its own name, its phase's bare slot, and its phase's
 * slots per listener. Which listeners `match` and targetRefs choose is for compile to know: such a plugin is only
 * expected where it was seen.
 */
export function findPlaces(
  spec: PluginSpec,
  presence: NodePresence,
  verdicts: readonly NodeVerdict[],
): readonly Place[] {
  const name = toPluginName(spec);
  const phaseSlot = PHASES.find(row => row.phase === (spec.phase ?? 'UNSPECIFIED_PHASE'))?.slot ?? '';
  const isOwn = (slot: string): boolean => isPlaceOf(slot, name, presence.node.namespace);
  const fits = (slot: string): boolean =>
    isOwn(slot) || slot === phaseSlot || slot.startsWith(`${phaseSlot}/`);
  const everywhere = spec.match === undefined && spec.targetRefs === undefined;
  const ownPlace = presence.slots.some(isOwn);
  return presence.slots
    .filter(fits)
    .map(slot => ({
      slot,
      verdict: verdicts.find(verdict => verdict.slot === slot && verdict.process === presence.process),
      certain: ownPlace ? isOwn(slot) : everywhere,
    }))
    .filter(place => isOwn(place.slot) || !isTakenByAnother(place, name, presence));
}

/** Without filter_chain a bare phase slot holds one plugin, and another one stands in it. */
function isTakenByAnother({ verdict }: Place, name: string, presence: NodePresence): boolean {
  if (presence.node.capabilities.filterChain) return false;
  const inIt = verdict?.tried?.plugins ?? [];
  return inIt.length > 0 && !inIt.some(entry => entry.plugin === name);
}

/** Whether a slot bears the plugin's name; without a namespace it means the node's own. */
export function isPlaceOf(slot: string, plugin: string, nodeNamespace: string): boolean {
  return slot === plugin || (!slot.includes('/') && `${nodeNamespace}/${slot}` === plugin);
}

/** A plugin's entry in some content. */
export function findInSlot(
  content: { readonly plugins: readonly PluginInSlot[] } | null | undefined,
  plugin: string,
): PluginInSlot | undefined {
  return content?.plugins.find(entry => entry.plugin === plugin);
}
