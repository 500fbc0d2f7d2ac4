import { toEffectiveNode } from '../model/effective-node.ts';
import type { PluginSpec } from '../model/plugin-spec.ts';
import { selects } from '../model/selector.ts';
import type { Store } from '../store/store.ts';
import type { TargetEnvoys } from './check-module.ts';

/**
 * The connected Envoys that a plugin selects and that run Wasm at all, by their version: those that its module must suit.
 * The nodes wait for it in each push.
 */
export async function listModuleTargets(
  store: Store,
  spec: PluginSpec,
  rootNamespace: string,
): Promise<readonly TargetEnvoys[]> {
  const [{ records }, policies] = await Promise.all([store.list('NodePresence'), store.list('NodePolicy')]);
  const policyOf = new Map(policies.records.map(({ key, value }) => [key, value]));
  const byVersion = new Map<string, string[]>();
  for (const { key, value } of records) {
    if (!value.connected || !value.node.capabilities.wasm) continue;
    const node = toEffectiveNode(value.node, policyOf.get(key));
    if (!selects(spec, node, rootNamespace)) continue;
    const nodes = byVersion.get(node.envoyVersion);
    if (nodes === undefined) byVersion.set(node.envoyVersion, [node.id]);
    else nodes.push(node.id);
  }
  return [...byVersion].map(([envoyVersion, nodes]) => ({ envoyVersion, nodes }));
}
