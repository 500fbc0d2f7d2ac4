import { DEFAULT_NAMESPACE } from '../model/document-metadata.ts';
import type { NodePresence } from '../model/node.ts';
import type { Fleet } from './fleet.ts';

/** A namespace and labels that a node says it has in vain, and how they would count; nothing where nobody is misled. */
export function findIgnoredClaims(fleet: Fleet, { node }: NodePresence): readonly string[] {
  const claimed = fleet.claims.get(node.id);
  const { identity } = fleet.policies.get(node.id) ?? {};
  // Who set it for this node knows of it.
  if (claimed?.claims !== 'ignored' || identity?.claims !== undefined) return [];
  const isForeign = claimed.namespace !== node.namespace && identity?.namespace === undefined;
  const namespace = isForeign && claimed.namespace !== DEFAULT_NAMESPACE ? [claimed.namespace] : [];
  const labels = Object.entries(claimed.labels).filter(([key]) => !Object.hasOwn(node.labels, key));
  const said = [...namespace.map(name => `namespace ${name}`), ...labels.map(([k, v]) => `label ${k}=${v}`)];
  if (said.length === 0) return [];
  const flags = [
    ...namespace.map(name => `--namespace ${name}`),
    ...labels.map(([k, v]) => `--label ${k}=${v}`),
  ];
  return [
    `it says that it has ${said.join(', ')}: here a node's own word does not count (setting node-claims). If it is true: attache node set ${node.id} ${flags.join(' ')}`,
  ];
}
