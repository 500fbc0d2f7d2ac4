import { selects } from '../model/selector.ts';
import { eventKey } from '../store/record-kinds.ts';
import { type ApiContext, readNow } from './api-context.ts';
import { ApiError } from './api-error.ts';
import { stateOnNode } from './fleet.ts';
import { checkPreconditions, type Preconditions } from './preconditions.ts';
import type { DeleteAnswer } from './schema/plugin-view.ts';

interface Target {
  readonly kind: 'PluginSpec' | 'ResourceSpec';
  /** Its key in the store. */
  readonly key: string;
  readonly namespace: string;
  readonly name: string;
}

/** Deletes a document; the nodes that have it are told afterwards. Codes: `not-found`, `revision-mismatch`. */
export function deleteDocument(
  context: ApiContext,
  target: Target,
  request: Preconditions & { readonly dryRun: boolean },
): Promise<DeleteAnswer> {
  return context.exclusive(async () => {
    const { store, clock, random } = context;
    const { kind, key, namespace, name } = target;
    const plugin = kind === 'PluginSpec';
    const nodes = await countNodes(context, target);
    const stored = await store.get(kind, key);
    checkPreconditions(request, stored?.revision);
    if (nodes === undefined || stored === undefined)
      throw new ApiError('not-found', `there is no ${plugin ? 'plugin' : 'resource'} ${key}`);
    const at = clock.now();
    const event = {
      type: plugin ? 'plugin.deleted' : 'resource.deleted',
      at,
      message: `${key} deleted`,
      ...(plugin ? { plugin: key } : {}),
    };
    if (!request.dryRun)
      await store.transaction([
        { op: 'delete', kind, key, expected: stored.revision },
        { op: 'put', kind: 'Event', key: eventKey(at, random(4)), value: event },
      ]);
    const deleted = { kind: plugin ? 'Plugin' : 'EnvoyResource', namespace, name };
    return { kind: 'Deleted', deleted, nodes };
  });
}

/** Connected nodes that have it now; undefined: it does not exist. */
async function countNodes(context: ApiContext, { kind, key }: Target): Promise<number | undefined> {
  const fleet = await readNow(context);
  const connected = fleet.nodes.filter(presence => presence.connected);
  if (kind === 'PluginSpec') {
    const spec = fleet.specs.get(key)?.value;
    return spec === undefined
      ? undefined
      : connected.filter(presence => stateOnNode(fleet, spec, presence).revision !== null).length;
  }
  const spec = (await context.store.get('ResourceSpec', key))?.value;
  return spec === undefined
    ? undefined
    : connected.filter(({ node }) => selects(spec, node, context.rootNamespace)).length;
}
