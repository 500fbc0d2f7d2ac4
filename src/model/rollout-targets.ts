import { type Placement, revisionOn, type Side } from './assignment.ts';
import type { NodePresence } from './node.ts';
import type { NodeVerdict } from './node-verdict.ts';
import { findOnlyListeners } from './plugin-listeners.ts';
import { findPlaces } from './plugin-place.ts';
import { type PluginSpec, toPluginName } from './plugin-spec.ts';
import { PLACE_GRACE_MS, type StateReason } from './plugin-state.ts';
import type { RevisionConfig } from './revision.ts';
import { findSelectionMiss } from './selector.ts';

/**
 * What moving from one side to another means for a node.
 * - `target`: its content changes; the rollout moves it and waits for it
 * - `same`: it runs the same before and after, or nothing on either side
 * - `out`: it is not moved by steps, and in no count
 */
export type NodeClass =
  | { readonly kind: 'target' }
  | { readonly kind: 'same' }
  | { readonly kind: 'out'; readonly reason: OutReason };

export type OutReason = Extract<StateReason, 'Selector' | 'NoV8' | 'NoPlace' | 'Excluded'>;

export interface ClassifyInput {
  readonly plugin: Pick<PluginSpec, 'namespace' | 'name'>;
  /** What the node is on now. */
  readonly from: Side;
  readonly to: Side;
  readonly presence: NodePresence;
  /** Those of this node are enough; others' are ignored. */
  readonly verdicts: readonly NodeVerdict[];
  readonly excluded: boolean;
  /** undefined: there is no such revision. */
  config(revision: number): Pick<RevisionConfig, 'phase' | 'match'> | undefined;
  readonly rootNamespace: string;
  readonly now: number;
}

/** Which nodes a document asks for, as a Side holds it: equal choices are equal as canonical JSON. */
export function toPlacement({ selector, targetRefs }: PluginSpec): Placement {
  return {
    ...(selector === undefined ? {} : { selector }),
    ...(targetRefs === undefined ? {} : { targetRefs }),
  };
}

/**
 * Whether a node is a target of a rollout. Pure. It does not ask whether the node is connected.
 *
 * Before Envoy 1.39 a plugin's place comes with the listener that follows its move, so that such a node is a target
 * without one; once it was moved and asks for none, derivePluginState says NoPlace, and nobody waits for it.
 */
export function classifyNode(input: ClassifyInput): NodeClass {
  const { plugin, from, to, presence, rootNamespace } = input;
  const { node } = presence;
  const before = revisionOn(from, plugin, node, rootNamespace);
  const after = revisionOn(to, plugin, node, rootNamespace);
  if (before === null && after === null) {
    const { namespace } = plugin;
    const isSelected = findSelectionMiss({ namespace, ...to.placement }, node, rootNamespace) === undefined;
    return isSelected ? { kind: 'same' } : { kind: 'out', reason: 'Selector' };
  }
  if (!node.capabilities.wasm) return { kind: 'out', reason: 'NoV8' };
  if (input.excluded) return { kind: 'out', reason: 'Excluded' };
  if (before === after && isSameContent(input)) return { kind: 'same' };
  return hasPlace(input, after ?? before) ? { kind: 'target' } : { kind: 'out', reason: 'NoPlace' };
}

/** Of one revision: on the same listeners, and compiled alike. */
function isSameContent({ plugin, from, to, presence, rootNamespace }: ClassifyInput): boolean {
  const listeners = (side: Side): string =>
    JSON.stringify(findOnlyListeners(plugin, side.placement, presence.node, rootNamespace) ?? null);
  return from.format === to.format && listeners(from) === listeners(to);
}

function hasPlace(
  { plugin, presence, verdicts, config, now }: ClassifyInput,
  revision: number | null,
): boolean {
  const { node, slots } = presence;
  if (!node.capabilities.filterChain) return true;
  if (slots.length === 0) return now - presence.since < PLACE_GRACE_MS;
  const phase = (revision === null ? undefined : config(revision)?.phase) ?? 'UNSPECIFIED_PHASE';
  return findPlaces(toPluginName(plugin), { phase, everywhere: true }, presence, verdicts).length > 0;
}
