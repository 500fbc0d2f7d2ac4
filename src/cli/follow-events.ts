import { setTimeout as delay } from 'node:timers/promises';
import type { EventReset, EventView } from '../api/schema/event-view.ts';
import { isServerAway, type RestClient } from './rest-client.ts';

const RETRY_MS = 1_000;

/** What somebody who follows events gets to see. */
export type EventMoment =
  | { readonly kind: 'event'; readonly event: EventView }
  /** A part of what was asked for is gone. */
  | { readonly kind: 'gap'; readonly message: string }
  /** A rollout moved, or all that was there is told: what was read before is old. */
  | { readonly kind: 'moved' }
  /** The stream broke; it is tried again, from where it was. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'connected' };

/**
 * Events from `path` on until `signal` ends it. A stream that ends or breaks is taken up again behind the last event
 * that came: none is missed, none comes twice. A server that does not answer the first time is an error.
 */
export async function* followEvents(
  client: Pick<RestClient, 'events'>,
  path: string,
  signal: AbortSignal,
  retryMs = RETRY_MS,
): AsyncGenerator<EventMoment> {
  let lastId = '';
  let answered = false;
  let lost = false;
  while (!signal.aborted) {
    try {
      for await (const { id, type, data } of client.events(path, lastId, signal)) {
        if (lost) yield { kind: 'connected' };
        lost = false;
        answered = true;
        lastId = id;
        if (type === 'event') yield { kind: 'event', event: JSON.parse(data) as EventView };
        else if (type === 'rollout' || type === 'bookmark') yield { kind: 'moved' };
        else if (type === 'reset') yield { kind: 'gap', message: (JSON.parse(data) as EventReset).message };
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!answered || !isServerAway(error)) throw error;
    }
    if (signal.aborted) return;
    if (!lost) yield { kind: 'lost' };
    lost = true;
    await delay(retryMs, undefined, { signal }).catch(() => undefined);
  }
}
