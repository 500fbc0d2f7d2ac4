import { Readable } from 'node:stream';
import type { Clock } from '../model/ports.ts';
import type { Store } from '../store/store.ts';
import type { EndReason, EventFeed, EventSubscription } from './event-feed.ts';
import { type EventPosition, readEventHistory } from './event-history.ts';
import { toBookmarkId } from './event-id.ts';
import { type EventFilter, type EventItem, matchesFilter, type SeeEvents } from './event-item.ts';
import type { EventBookmark, EventEnd, EventReset } from './schema/event-view.ts';

export interface EventStreamPorts {
  readonly store: Store;
  readonly feed: EventFeed;
  readonly clock: Clock;
}

export interface EventStreamRequest {
  readonly filter: EventFilter;
  /** undefined: only what happens from now on. */
  readonly position: EventPosition | undefined;
  /** Asked before anything is told, and at every heartbeat. */
  readonly see: SeeEvents;
}

/** A comment this often tells a reader, and whatever is between, that the connection lives. */
export const HEARTBEAT_MS = 15_000;
/** Time that a reader who was cut off has to take the rest, before the connection is closed. */
const LEAVE_MS = 30_000;
/** What a browser waits before it connects again. */
const RETRY_MS = 2_000;
/** Items in one piece of text. */
const BATCH = 100;

/**
 * The text of one reader's stream of events: history from the position on, a bookmark, then what happens. It is made
 * as it is read; a reader who lets too much wait is told so at its end, and can go on from the last id.
 * https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function openEventStream(
  ports: EventStreamPorts,
  request: EventStreamRequest,
): Promise<Readable> {
  // Before the history is read: nothing can fall between the two.
  const subscription = await ports.feed.subscribe(request.filter);
  try {
    const history = await readEventHistory(ports.store, request.position);
    const items = history.items.filter(item => matchesFilter(item, request.filter));
    const leave = (): void => ports.feed.unsubscribe(subscription);
    const stream = toReadable(tell(ports.clock, subscription, { ...history, items }, request.see), leave);
    subscription.whenSlow(() => {
      const cancel = ports.clock.after(LEAVE_MS, () => stream.destroy());
      stream.once('close', cancel);
    });
    return stream;
  } catch (error) {
    ports.feed.unsubscribe(subscription);
    throw error;
  }
}

/** `Readable.from` would let a reader who leaves wait for the next text: `leave` ends that wait. */
function toReadable(texts: AsyncGenerator<string, void, void>, leave: () => void): Readable {
  return new Readable({
    read() {
      texts.next().then(
        next => this.push(next.done === true ? null : next.value),
        error => this.destroy(error),
      );
    },
    destroy(error, done) {
      leave();
      done(error);
    },
  });
}

async function* tell(
  clock: Clock,
  subscription: EventSubscription,
  history: { readonly items: readonly EventItem[]; readonly revision: number; readonly gone: boolean },
  see: SeeEvents,
): AsyncGenerator<string, void, void> {
  yield `retry: ${RETRY_MS}\n\n`;
  if (history.gone) yield frame('reset', '', RESET);
  if ((yield* tellSeen(history.items, see)) === undefined) return;
  let told = history.revision;
  yield toBookmark(told);
  for (;;) {
    const news = subscription.take().filter(item => item.revision > history.revision);
    const last = yield* tellSeen(news, see);
    if (last === undefined) return;
    told = Math.max(told, last);
    if (news.length > 0) continue;
    const { ended } = subscription;
    if (ended === 'left') return;
    if (ended !== undefined) return yield frame('end', '', toEnd(ended));
    if (!(await waitForNews(clock, subscription))) {
      // What a filter left out need not be looked through again by a reader who comes back.
      const moved = subscription.idle && subscription.seen > told;
      if (moved) told = subscription.seen;
      yield moved ? toBookmark(told) : ': heartbeat\n\n';
    }
  }
}

/**
 * Asks anew before each piece, for a reader may take its time over them. Answers the revision of the last item that was
 * told, 0: none was; undefined: nothing more may be told, and that was the end.
 */
async function* tellSeen(
  items: readonly EventItem[],
  see: SeeEvents,
): AsyncGenerator<string, number | undefined, void> {
  let last = 0;
  for (let i = 0; i === 0 || i < items.length; i += BATCH) {
    const seen = await see(items.slice(i, i + BATCH));
    if (seen === undefined) {
      yield frame('end', '', toEnd('revoked'));
      return undefined;
    }
    if (seen.length > 0) yield toText(seen);
    last = seen.at(-1)?.revision ?? last;
  }
  return last;
}

/** False: only time passed. */
async function waitForNews(clock: Clock, subscription: EventSubscription): Promise<boolean> {
  let late = false;
  let cancel = (): void => {};
  await subscription.changed(wake => {
    cancel = clock.after(HEARTBEAT_MS, () => {
      late = true;
      wake();
    });
  });
  cancel();
  return !late;
}

function toText(items: readonly EventItem[]): string {
  return items.map(({ view }) => frame(view.kind === 'Event' ? 'event' : 'rollout', view.id, view)).join('');
}

function toBookmark(revision: number): string {
  const view: EventBookmark = { kind: 'Bookmark', id: toBookmarkId(revision) };
  return frame('bookmark', view.id, view);
}

/** Without an id a frame leaves the reader's last one as it is. */
function frame(event: string, id: string, data: object): string {
  return `event: ${event}\n${id === '' ? '' : `id: ${id}\n`}data: ${JSON.stringify(data)}\n\n`;
}

const RESET: EventReset = {
  kind: 'Reset',
  message:
    'A part of the history asked for is gone. What is left of it follows; read afresh what you follow.',
};

const END_TEXTS: Readonly<Record<EndReason, string>> = {
  stopping: 'Attaché stops. Connect again with the last id.',
  slow: 'Too much waited to be read. Connect again with the last id, and nothing is lost.',
  failed: 'The store does not answer. Connect again with the last id.',
  revoked: 'The token was revoked, or has expired.',
};

function toEnd(reason: EndReason): EventEnd {
  return { kind: 'End', reason, message: END_TEXTS[reason] };
}
