import { toEventSight } from './access/event-sight.ts';
import type { CallContext } from './api-context.ts';
import { readEventHistory } from './event-history.ts';
import type { Fleet } from './fleet.ts';
import type { EventView } from './schema/event-view.ts';

/** So many are in a bundle. */
export const BUNDLE_EVENTS = 200;

/** What no bundle holds; a reader of a report has to know what to ask for. */
export const LEFT_OUT: readonly string[] = [
  'Configurations and environment of plugins: their names and shape are there, their texts are not.',
  'What looks like a secret by its name or its form (passwords, tokens, keys, credentials in URLs); `redacted` says where.',
  'Modules: only their digests are there. attache pull gets one.',
  'The log of the server, its settings and its store.',
];

/** What is in it all the same. */
export const BUNDLE_NOTE =
  'Names, labels and addresses are in it, and Envoy’s own texts, which may quote a configuration: look at it before you give it away.';

/** Of what the caller may see, newest first. */
export async function readEvents(
  { store, caller }: CallContext,
  fleet: Fleet,
  isWanted: (event: EventView) => boolean,
): Promise<readonly EventView[]> {
  const { items } = await readEventHistory(store, { from: 0 });
  return items
    .filter(toEventSight(fleet, caller))
    .map(({ view }) => view)
    .filter((view): view is EventView => view.kind === 'Event')
    .filter(isWanted)
    .toReversed();
}
