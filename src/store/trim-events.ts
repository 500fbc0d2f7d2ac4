import type { Clock, Log } from '../model/ports.ts';
import type { Store } from './store.ts';

/** How many Event records are kept: enough for a bad night of a large fleet, little enough to list. */
export const KEPT_EVENTS = 10_000;
/** A thousand Envoys that come and go make two events each: in ten minutes that were several hundred megabytes. */
export const TRIM_EVERY_MS = 30_000;
/** Deleted in one commit: a few milliseconds. */
const BATCH = 1000;
/** For whatever else there is to do, from one commit to the next. */
const PAUSE_MS = 50;

/**
 * Deletes all but the newest events; answers how many went. `pause` is awaited between two
 * commits; where it answers false the rest stays.
 */
export async function trimEvents(
  store: Store,
  kept = KEPT_EVENTS,
  pause: () => Promise<boolean> = async () => true,
): Promise<number> {
  const { records } = await store.list('Event');
  const count = Math.max(0, records.length - kept);
  // Keys sort by the clock, which may have been set back; within one write they tell what came first.
  const oldestFirst = count === 0 ? [] : records.toSorted((a, b) => a.revision - b.revision);
  for (let gone = 0; gone < count; ) {
    if (gone > 0 && !(await pause())) return gone;
    const old = oldestFirst.slice(gone, Math.min(gone + BATCH, count));
    await store.transaction(old.map(({ key }) => ({ op: 'delete', kind: 'Event', key }) as const));
    gone += old.length;
  }
  return count;
}

/** Trims now and every half minute; the answer ends it and waits for the commit that is under way. */
export function keepEventsTrimmed(store: Store, clock: Clock, log: Log): () => Promise<void> {
  let cancel = (): void => {};
  let endPause = (): void => {};
  let running: Promise<void> = Promise.resolve();
  let stopped = false;
  const pause = (): Promise<boolean> =>
    new Promise(resolve => {
      const cancelPause = clock.after(PAUSE_MS, () => resolve(!stopped));
      endPause = () => {
        cancelPause();
        resolve(false);
      };
    });
  const trim = (): void => {
    running = trimEvents(store, KEPT_EVENTS, pause)
      .then(() => {})
      .catch(err => log.warn({ err }, 'events could not be trimmed; trying again'))
      .then(() => {
        if (!stopped) cancel = clock.after(TRIM_EVERY_MS, trim);
      });
  };
  trim();
  return () => {
    stopped = true;
    cancel();
    endPause();
    return running;
  };
}
