import type { Grant } from '../../model/access.ts';
import { isExpired } from '../../model/api-token.ts';
import type { NodeIdentity } from '../../model/node.ts';
import { isEverything } from '../../model/scope.ts';
import { type CallContext, readNow } from '../api-context.ts';
import type { EventItem, SeeEvents } from '../event-item.ts';
import type { Fleet } from '../fleet.ts';
import { isVisible, toPluginSight } from './visible.ts';

/** What was looked up of a scope holds so long, ms: a stream may tell something every 100 ms. */
const SIGHT_MS = 2_000;

/** Of what happened a scope shows what names a plugin or node of it, and nothing that is outside. */
export function toEventSight(fleet: Fleet, grant: Grant): (item: EventItem) => boolean {
  if (isEverything(grant.scope)) return () => true;
  const seesPlugin = toPluginSight(fleet, grant);
  const nodes = new Map(fleet.nodes.map(({ node }): [string, NodeIdentity] => [node.id, node]));
  const seesNode = (id: string): boolean => {
    const node = nodes.get(id);
    return node !== undefined && isVisible(grant, { kind: 'node', node }, fleet.rootNamespace);
  };
  return ({ view }) => {
    const { plugin } = view;
    const node = view.kind === 'Event' ? view.node : null;
    if (plugin === null && node === null) return false;
    return (plugin === null || seesPlugin(plugin)) && (node === null || seesNode(node));
  };
}

/** What the caller of a stream may see as long as it lasts; nothing more once its token is revoked or has expired. */
export function toSeeEvents(context: CallContext): SeeEvents {
  const { store, clock, caller } = context;
  let sight: { readonly at: number; readonly sees: (item: EventItem) => boolean } | undefined;
  return async items => {
    const now = clock.now();
    if (caller.token !== undefined) {
      const token = (await store.get('Token', caller.token.id))?.value;
      if (token === undefined || isExpired(token, now)) return undefined;
    }
    if (isEverything(caller.scope) || items.length === 0) return items;
    if (sight === undefined || now - sight.at > SIGHT_MS)
      sight = { at: now, sees: toEventSight(await readNow(context), caller) };
    return items.filter(sight.sees);
  };
}
