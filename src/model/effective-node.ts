import { DEFAULT_NAMESPACE } from './document-metadata.ts';
import type { NodePolicy } from './fleet-records.ts';
import type { NodeIdentity, NodePresence } from './node.ts';

/**
 * What the server takes a node for: what the node says of itself as far as that counts, with the namespace and labels that
 * NodePolicy fixes over it. Selection, rollouts and answers read this; what a node claims decides nothing that was fixed.
 * The same object where all of it counts and nothing is fixed.
 */
export function toEffectiveNode(
  node: NodeIdentity,
  policy?: Pick<NodePolicy, 'identity'> | undefined,
): NodeIdentity {
  if (isAsClaimed(node, policy)) return node;
  const { identity } = policy ?? {};
  const ignored = (identity?.claims ?? node.claims) === 'ignored';
  return {
    ...node,
    namespace: identity?.namespace ?? (ignored ? DEFAULT_NAMESPACE : node.namespace),
    labels: { ...(ignored ? {} : node.labels), ...identity?.labels },
  };
}

/** Nothing is fixed of it, and all of what it says counts. */
export function isAsClaimed(
  node: Pick<NodeIdentity, 'claims'>,
  policy: { readonly identity?: NodePolicy['identity'] | undefined } | undefined,
): boolean {
  return policy?.identity === undefined && node.claims !== 'ignored';
}

export function toEffectivePresence(
  presence: NodePresence,
  policy: Pick<NodePolicy, 'identity'> | undefined,
): NodePresence {
  const node = toEffectiveNode(presence.node, policy);
  return node === presence.node ? presence : { ...presence, node };
}
