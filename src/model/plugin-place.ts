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
  const fits = (slot: string): boolean =>
    slot === name || slot === phaseSlot || slot.startsWith(`${phaseSlot}/`);
  const everywhere = spec.match === undefined && spec.targetRefs === undefined;
  const ownPlace = presence.slots.includes(name);
  return presence.slots
    .filter(fits)
    .map(slot => ({
      slot,
      verdict: verdicts.find(verdict => verdict.slot === slot && verdict.process === presence.process),
      certain: ownPlace ? slot === name : everywhere,
    }))
    .filter(place => !isTakenByAnother(place, name, presence));
}

/** Without filter_chain a bare phase slot holds one plugin, and another one stands in it. */
function isTakenByAnother({ slot, verdict }: Place, name: string, presence: NodePresence): boolean {
  if (presence.node.capabilities.filterChain || slot === name) return false;
  const inIt = verdict?.tried?.plugins ?? [];
  return inIt.length > 0 && !inIt.some(entry => entry.plugin === name);
}

/** A plugin's entry in some content. */
export function findInSlot(
  content: { readonly plugins: readonly PluginInSlot[] } | null | undefined,
  plugin: string,
): PluginInSlot | undefined {
  return content?.plugins.find(entry => entry.plugin === plugin);
}
