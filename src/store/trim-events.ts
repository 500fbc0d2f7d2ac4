import type { Clock, Log } from '../model/ports.ts';
import type { Store } from './store.ts';

/** How many Event records are kept: enough for a bad night of a large fleet, little enough to list. */
export const KEPT_EVENTS = 10_000;
const INTERVAL_MS = 10 * 60_000;
const BATCH = 100;

/** Deletes all but the newest events; answers how many went. Keys of events sort by time. */
export async function trimEvents(store: Store, kept = KEPT_EVENTS): Promise<number> {
  const { records } = await store.list('Event');
  const old = records.slice(0, Math.max(0, records.length - kept));
  for (let i = 0; i < old.length; i += BATCH)
    await store.transaction(
      old.slice(i, i + BATCH).map(({ key }) => ({ op: 'delete', kind: 'Event', key }) as const),
    );
  return old.length;
}

/** Trims now and every ten minutes; the answer ends it and waits for what is under way. */
export function keepEventsTrimmed(store: Store, clock: Clock, log: Log): () => Promise<void> {
  let cancel = (): void => {};
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  const trim = (): void => {
    running = trimEvents(store)
      .then(() => {})
      .catch(err => log.warn({ err }, 'events could not be trimmed; trying again'))
      .then(() => {
        if (!stopped) cancel = clock.after(INTERVAL_MS, trim);
      });
  };
  trim();
  return () => {
    stopped = true;
    cancel();
    return running;
  };
}
