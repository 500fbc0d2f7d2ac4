import { toCountText } from '../model/quantity-text.ts';
import { selects } from '../model/selector.ts';
import { eventKey } from '../store/record-kinds.ts';
import { type ApiContext, readNow } from './api-context.ts';
import { ApiError } from './api-error.ts';
import { refuseWhenFrozen } from './freeze.ts';
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
  context: ApiContext,
  { key, namespace, name }: Target,
  request: Preconditions & { readonly dryRun: boolean },
): Promise<DeleteAnswer> {
  return context.exclusive(async () => {
    const { store, clock, random } = context;
    const stored = await store.get('ResourceSpec', key);
    checkPreconditions(request, stored?.revision);
    if (stored === undefined) throw new ApiError('not-found', `there is no resource ${key}`);
    const fleet = await readNow(context);
    const nodes = fleet.nodes.filter(
      ({ connected, node }) => connected && selects(stored.value, node, context.rootNamespace),
    ).length;
    if (!request.dryRun) {
      await refuseWhenFrozen(store);
      const at = clock.now();
      const event = { type: 'resource.deleted', at, message: `${key} deleted` };
      await store.transaction([
        { op: 'delete', kind: 'ResourceSpec', key, expected: stored.revision },
        { op: 'put', kind: 'Event', key: eventKey(at, random(4)), value: event },
      ]);
    }
    return {
      kind: 'Deleted',
      deleted: { kind: 'EnvoyResource', namespace, name },
      nodes,
      rollout: null,
      text: `resource ${key}: removing from ${toCountText(nodes, 'node')} at once`,
    };
  });
}
