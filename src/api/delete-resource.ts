import { toCountText } from '../model/quantity-text.ts';
import { selects } from '../model/selector.ts';
import { requireResource } from './access/require.ts';
import { readVisible } from './access/visible.ts';
import type { CallContext } from './api-context.ts';
import { commit } from './commit.ts';
import { refuseWhenFrozen } from './freeze.ts';
import { toUnknownResource } from './not-found.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import type { DeleteAnswer } from './schema/plugin-view.ts';

interface Target {
  /** Its key in the store. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
}

/**
 * Deletes a raw resource; the nodes that have it are told afterwards, all at once. Codes: `not-found`,
 * `revision-mismatch`, `frozen`.
 */
export function deleteResource(
  context: CallContext,
  { key, namespace, name }: Target,
  request: Preconditions & { readonly message: string | undefined },
): Promise<DeleteAnswer> {
  return context.exclusive(async () => {
    const { store, caller } = context;
    const stored = await store.get('ResourceSpec', key);
    checkPreconditions(request, stored?.revision);
    if (stored === undefined) throw toUnknownResource(key);
    await requireResource(context, key);
    const fleet = await readVisible(context);
    const nodes = fleet.nodes.filter(
      ({ connected, node }) => connected && selects(stored.value, node, context.rootNamespace),
    ).length;
    if (!context.dryRun) {
      await refuseWhenFrozen(store);
      const { message } = request;
      const reason = message === undefined ? '' : `: ${message}`;
      const change = {
        action: 'resource.deleted',
        subject: key,
        reason: message,
        event: { message: `${key} deleted by ${caller.who}${reason}` },
      };
      await commit(context, change, [{ op: 'delete', kind: 'ResourceSpec', key, expected: stored.revision }]);
    }
    return {
      kind: 'Deleted',
      deleted: { kind: 'EnvoyResource', namespace, name },
      dryRun: context.dryRun,
      nodes,
      rollout: null,
      text: `resource ${key}: removing from ${toCountText(nodes, 'node')} at once`,
    };
  });
}
