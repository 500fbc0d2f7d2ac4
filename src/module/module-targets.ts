import { toEffectiveNode } from '../model/effective-node.ts';
import type { NodePolicy } from '../model/fleet-records.ts';
import type { NodePresence } from '../model/node.ts';
import { type PluginSpec, toCanonicalJson } from '../model/plugin-spec.ts';
import { selects } from '../model/selector.ts';
import type { Store, Stored } from '../store/store.ts';
import type { TargetEnvoys } from './check-module.ts';

type Selecting = Pick<PluginSpec, 'namespace' | 'selector' | 'targetRefs'>;

interface Found {
  readonly policies: readonly Stored<NodePolicy>[];
  readonly selecting: string;
  readonly targets: readonly TargetEnvoys[];
}

/**
 * By list of nodes, which is the same while none of them is written: between two changes of a plugin that is so as a rule.
 * To look at 5,000 takes 3 ms, which all of them wait for.
 */
const found = new WeakMap<readonly Stored<NodePresence>[], Found>();

/** The connected Envoys that a plugin selects and that run Wasm at all, by their version: those that its module must suit. */
export async function listModuleTargets(
  store: Store,
  { namespace, selector, targetRefs }: Selecting,
  rootNamespace: string,
): Promise<readonly TargetEnvoys[]> {
  const [{ records: nodes }, { records: policies }] = await Promise.all([
    store.list('NodePresence'),
    store.list('NodePolicy'),
  ]);
  const wanted = { namespace, selector, targetRefs };
  const selecting = toCanonicalJson([wanted, rootNamespace]);
  const known = found.get(nodes);
  if (known?.policies === policies && known.selecting === selecting) return known.targets;
  const policyOf = new Map(policies.map(({ key, value }) => [key, value]));
  const byVersion = new Map<string, string[]>();
  for (const { key, value } of nodes) {
    if (!value.connected || !value.node.capabilities.wasm) continue;
    const node = toEffectiveNode(value.node, policyOf.get(key));
    if (!selects(wanted, node, rootNamespace)) continue;
    const ids = byVersion.get(node.envoyVersion);
    if (ids === undefined) byVersion.set(node.envoyVersion, [node.id]);
    else ids.push(node.id);
  }
  const targets = [...byVersion].map(([envoyVersion, ids]) => ({ envoyVersion, nodes: ids }));
  found.set(nodes, { policies, selecting, targets });
  return targets;
}
