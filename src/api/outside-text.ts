import type { NodePresence } from '../model/node.ts';
import type { PluginSpec } from '../model/plugin-spec.ts';
import type { OutReason } from '../model/rollout-targets.ts';
import { type Fleet, stateOnNode } from './fleet.ts';

/** Why a node that a plugin selects takes no part in its rollout. */
export function toOutsideText(
  fleet: Fleet,
  spec: PluginSpec,
  presence: NodePresence,
  reason: OutReason,
): string {
  const excluded = fleet.policies.get(presence.node.id)?.excluded;
  if (reason === 'Excluded' && excluded !== undefined)
    return `excluded by ${excluded.by}${excluded.message === null ? '' : `: ${excluded.message}`}`;
  if (reason === 'NoV8') return 'this Envoy has no Wasm filter with V8';
  return stateOnNode(fleet, spec, presence).detail ?? 'it has no place for the plugin';
}
