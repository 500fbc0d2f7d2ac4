import { setTimeout as delay } from 'node:timers/promises';
import { followEvents } from './follow-events.ts';
import { isServerAway, type RestClient } from './rest-client.ts';

/** Ages grow, and not every change of a node is an event: a list is read again this often, ms. */
const EVERY_MS = 2_000;
/** Events come in crowds: what follows within it is read together, ms. */
const GATHER_MS = 100;

/** What somebody who watches a list gets to see. */
export type ListMoment =
  | { readonly kind: 'items'; readonly items: readonly unknown[] }
  /** The server does not answer; it is asked again, until it does. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'connected' };

/**
 * A list from now on until `signal` ends it: read anew after each event, and every two seconds. A server that goes
 * away meanwhile is waited for; one that does not answer at the first look is an error.
 */
export async function* watchList(
  client: Pick<RestClient, 'events'>,
  read: () => Promise<readonly unknown[]>,
  signal: AbortSignal,
): AsyncGenerator<ListMoment> {
  yield { kind: 'items', items: await read() };
  const news = followNews(client, signal);
  let lost = false;
  while (await news.next(EVERY_MS)) {
    let items: readonly unknown[];
    try {
      items = await read();
    } catch (error) {
      if (!isServerAway(error)) throw error;
      if (!lost) yield { kind: 'lost' };
      lost = true;
      continue;
    }
    if (lost) yield { kind: 'connected' };
    lost = false;
    yield { kind: 'items', items };
  }
}

interface News {
  /** Waits for an event, at most so long; false: the signal ended it. */
  next(withinMs: number): Promise<boolean>;
}

/** The stream only says that something changed; what it misses while it is broken, the next reading shows. */
function followNews(client: Pick<RestClient, 'events'>, signal: AbortSignal): News {
  let wake = Promise.withResolvers<void>();
  const run = async () => {
    for await (const _moment of followEvents(client, '/v1/events', signal)) wake.resolve();
  };
  // Where the stream is refused, the clock alone says when to look.
  run().catch(() => undefined);
  return {
    async next(withinMs) {
      const timer = delay(withinMs, undefined, { signal }).catch(() => undefined);
      await Promise.race([wake.promise, timer]);
      await delay(GATHER_MS, undefined, { signal }).catch(() => undefined);
      wake = Promise.withResolvers<void>();
      return !signal.aborted;
    },
  };
}
