import type { Store } from '../store/store.ts';
import { KEPT_EVENTS } from '../store/trim-events.ts';
import { readEventId } from './event-id.ts';
import { compareItems, type EventItem, toEventItem, toRolloutItem } from './event-item.ts';

/** Where a reader wants to begin: after an id, or at a time (ms). */
export type EventPosition = { readonly after: string } | { readonly from: number };

export interface EventHistory {
  /** Oldest first. */
  readonly items: readonly EventItem[];
  /** The store as of this revision is told by `items`. */
  readonly revision: number;
  /** A part of what was asked for is not there any more. */
  readonly gone: boolean;
}

/** What the store still has from a position on; undefined: nothing is asked for, only where the store stands. */
export async function readEventHistory(
  store: Store,
  position: EventPosition | undefined,
): Promise<EventHistory> {
  // Any listing tells where the store stands; this one is short.
  if (position === undefined)
    return { items: [], revision: (await store.list('Freeze')).revision, gone: false };
  const [events, rollouts] = await Promise.all([store.list('Event'), store.list('Rollout')]);
  const { revision } = events;
  const stored = events.records.map(toEventItem).toSorted(compareItems);
  // A rollout that changed since is for the live stream to tell.
  const changed = rollouts.records.filter(record => record.revision <= revision).map(toRolloutItem);
  const gone = isGone(position, stored, revision);
  const wanted = (item: EventItem): boolean =>
    'from' in position
      ? item.at >= position.from
      : isReset(position, revision) || item.view.id > position.after;
  return { items: [...stored, ...changed].filter(wanted).toSorted(compareItems), revision, gone };
}

/**
 * Events are forgotten from the oldest on, and only down to a number that is kept: with fewer than that there, none
 * was forgotten yet.
 */
function isGone(position: EventPosition, stored: readonly EventItem[], revision: number): boolean {
  if ('after' in position && isReset(position, revision)) return true;
  const [oldest] = stored;
  if (stored.length < KEPT_EVENTS || oldest === undefined) return false;
  return 'from' in position
    ? position.from < oldest.at
    : (readEventId(position.after) ?? 0) < oldest.revision;
}

/** An id of another store, or of this one before it was put back to an older state. */
function isReset({ after }: { readonly after: string }, revision: number): boolean {
  return (readEventId(after) ?? Number.POSITIVE_INFINITY) > revision;
}
