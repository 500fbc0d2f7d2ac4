import { toEffectiveNode } from '../model/effective-node.ts';
import type { PluginSpec } from '../model/plugin-spec.ts';
import { selects } from '../model/selector.ts';
import type { Store } from '../store/store.ts';
import type { TargetEnvoy } from './check-module.ts';

/** The connected Envoys that a plugin selects and that run Wasm at all: those that its module must suit. */
export async function listModuleTargets(
  store: Store,
  spec: PluginSpec,
  rootNamespace: string,
): Promise<readonly TargetEnvoy[]> {
  const [{ records }, policies] = await Promise.all([store.list('NodePresence'), store.list('NodePolicy')]);
  const policyOf = new Map(policies.records.map(({ key, value }) => [key, value]));
  const targets: TargetEnvoy[] = [];
  for (const { value } of records) {
    if (!value.connected || !value.node.capabilities.wasm) continue;
    const node = toEffectiveNode(value.node, policyOf.get(value.node.id));
    if (selects(spec, node, rootNamespace)) targets.push({ node: node.id, envoyVersion: node.envoyVersion });
  }
  return targets;
}
