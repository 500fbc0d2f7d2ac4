import { setTimeout as delay } from 'node:timers/promises';
import type { RolloutView } from '../../api/schema/rollout-view.ts';
import { isServerAway } from '../rest-client.ts';
import { isOver } from './rollout-end.ts';

/** What somebody who watches a rollout gets to see. */
export type Moment =
  | { readonly kind: 'view'; readonly view: RolloutView }
  /** The server does not answer any more; it is tried again. */
  | { readonly kind: 'lost' }
  | { readonly kind: 'connected' }
  /** The time to wait is over. */
  | { readonly kind: 'timeout' };

/** How long and how often it is looked at. */
export interface WatchOptions {
  /** Default: for ever. */
  readonly timeoutMs?: number | undefined;
  /** Between two looks, ms; default 500. */
  readonly everyMs?: number;
  /** What was seen of it already; default: it is looked at first, and a server that is away then is an error. */
  readonly from?: RolloutView;
}

/**
 * A rollout from now until it ends, waits for a person, or the time is over: the last moment is of that. A server
 * that goes away meanwhile is waited for; one that does not answer at the first look is an error.
 */
export async function* watchRollout(
  read: () => Promise<RolloutView>,
  { timeoutMs = Number.POSITIVE_INFINITY, everyMs = 500, from }: WatchOptions = {},
): AsyncGenerator<Moment> {
  const deadline = performance.now() + timeoutMs;
  let view = from ?? (await read());
  let lost = false;
  yield { kind: 'view', view };
  while (!isOver(view)) {
    const left = deadline - performance.now();
    if (left <= 0) {
      yield { kind: 'timeout' };
      return;
    }
    await delay(Math.min(everyMs, left));
    try {
      view = await read();
    } catch (error) {
      if (!isServerAway(error)) throw error;
      if (!lost) yield { kind: 'lost' };
      lost = true;
      continue;
    }
    if (lost) yield { kind: 'connected' };
    lost = false;
    yield { kind: 'view', view };
  }
}
