/**
 * Where something stands in the stream of events: the store revision that wrote it, and what tells it from others of
 * that revision. As text they sort in the order of the stream, so that any of them is a place to go on from; and
 * because the store's revisions never go back, neither does a stream.
 */

const DIGITS = 12;
/** Sorts behind every event key, which begins with a digit. */
const ROLLOUT_MARK = 'rollout-';
/** Sorts behind all of a revision. */
const LAST = '~';

export function toEventId(revision: number, key: string): string {
  return `${pad(revision)}-${key}`;
}

/** Of a changed Rollout record: behind the events of the same transaction. */
export function toRolloutEventId(revision: number, key: string): string {
  return `${pad(revision)}-${ROLLOUT_MARK}${key}`;
}

/** The place behind everything that this revision or an older one wrote. */
export function toBookmarkId(revision: number): string {
  return `${pad(revision)}-${LAST}`;
}

/** The revision that an id is of; undefined: it is none of ours. */
export function readEventId(id: string): number | undefined {
  const match = /^(\d{12})-[\x21-\x7e]{1,600}$/.exec(id);
  return match === null ? undefined : Number(match[1]);
}

function pad(revision: number): string {
  return String(revision).padStart(DIGITS, '0');
}
