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
  return records
    .map(({ value }) => value)
    .filter(({ connected, node }) => connected && node.capabilities.wasm)
    .map(({ node }) => toEffectiveNode(node, policyOf.get(node.id)))
    .filter(node => selects(spec, node, rootNamespace))
    .map(node => ({ node: node.id, envoyVersion: node.envoyVersion }));
}
