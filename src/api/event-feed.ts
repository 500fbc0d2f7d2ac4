import { toMessage } from '../model/error.ts';
import type { Log } from '../model/ports.ts';
import type { Change, Store } from '../store/store.ts';
import {
  compareItems,
  type EventFilter,
  type EventItem,
  matchesFilter,
  toEventItem,
  toRolloutItem,
} from './event-item.ts';
import type { EventEnd } from './schema/event-view.ts';

export type EndReason = EventEnd['reason'];

/** Beyond this many untold items a reader is cut off. */
export const MAX_WAITING_ITEMS = 5_000;

/** What one reader of the stream was not told yet. */
export class EventSubscription {
  readonly #filter: EventFilter;
  readonly #maxWaiting: number;
  #waiting: EventItem[] = [];
  #wake: (() => void) | undefined;
  #ended: EndReason | 'left' | undefined;
  #whenSlow = (): void => {};
  #seen = 0;

  constructor(filter: EventFilter, maxWaiting: number) {
    this.#filter = filter;
    this.#maxWaiting = maxWaiting;
  }

  /** Why nothing more comes; `left`: the reader went. What is waiting is told before. */
  get ended(): EndReason | 'left' | undefined {
    return this.#ended;
  }

  /** The newest revision that anything was offered of, whether or not the filter let it pass. */
  get seen(): number {
    return this.#seen;
  }

  offer(items: readonly EventItem[]): void {
    if (this.#ended !== undefined) return;
    const wanted = items.filter(item => matchesFilter(item, this.#filter));
    if (this.#waiting.length + wanted.length > this.#maxWaiting) {
      this.end('slow');
      this.#whenSlow();
      return;
    }
    this.#waiting.push(...wanted);
    this.#seen = Math.max(this.#seen, ...items.map(item => item.revision));
    if (wanted.length > 0) this.#wake?.();
  }

  end(reason: EndReason | 'left'): void {
    this.#ended ??= reason;
    this.#wake?.();
  }

  /** Called once, when too much waits: what waits is all that is told before the end. */
  whenSlow(callback: () => void): void {
    this.#whenSlow = callback;
  }

  get idle(): boolean {
    return this.#waiting.length === 0;
  }

  take(): readonly EventItem[] {
    const items = this.#waiting;
    this.#waiting = [];
    return items;
  }

  /** Resolves when there is something to take, or the end; or when the function it gives out is called. */
  changed(giveOut: (wake: () => void) => void): Promise<void> {
    return new Promise(resolve => {
      const wake = (): void => {
        this.#wake = undefined;
        resolve();
      };
      this.#wake = wake;
      giveOut(wake);
    });
  }
}

/** One watch of the store for all readers; it begins with the first of them. */
export class EventFeed {
  readonly #store: Store;
  readonly #log: Log;
  readonly #maxWaiting: number;
  readonly #stopping = new AbortController();
  readonly #subscriptions = new Set<EventSubscription>();
  #watching: { readonly ready: Promise<void>; readonly done: Promise<void> } | undefined;

  constructor(store: Store, log: Log, maxWaiting = MAX_WAITING_ITEMS) {
    this.#store = store;
    this.#log = log;
    this.#maxWaiting = maxWaiting;
  }

  get readers(): number {
    return this.#subscriptions.size;
  }

  /** From when it resolves on, every item committed is offered. Call `unsubscribe` at the end. */
  async subscribe(filter: EventFilter): Promise<EventSubscription> {
    this.#watching ??= this.#watch();
    await this.#watching.ready;
    const subscription = new EventSubscription(filter, this.#maxWaiting);
    if (this.#stopping.signal.aborted) subscription.end('stopping');
    else if (this.#watching === undefined) subscription.end('failed');
    else this.#subscriptions.add(subscription);
    return subscription;
  }

  unsubscribe(subscription: EventSubscription): void {
    subscription.end('left');
    this.#subscriptions.delete(subscription);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#end('stopping');
    await this.#watching?.done;
  }

  #watch() {
    const ready = Promise.withResolvers<void>();
    const run = async (): Promise<void> => {
      try {
        for await (const changes of this.#store.watch(['Event', 'Rollout'], this.#stopping.signal)) {
          ready.resolve();
          const items = changes.map(toItem).filter(item => item !== undefined);
          if (items.length === 0) continue;
          items.sort(compareItems);
          for (const subscription of this.#subscriptions) subscription.offer(items);
        }
      } catch (error) {
        this.#log.error({ error: toMessage(error) }, 'the stream of events stands still: watch failed');
      }
      // Whoever comes next begins a new watch.
      this.#watching = undefined;
      this.#end(this.#stopping.signal.aborted ? 'stopping' : 'failed');
      ready.resolve();
    };
    const done = run();
    return { ready: ready.promise, done };
  }

  #end(reason: EndReason): void {
    for (const subscription of this.#subscriptions) subscription.end(reason);
  }
}

/** undefined: it was there before, or it is gone. */
function toItem(change: Change): EventItem | undefined {
  if (change.initial || change.stored === undefined) return undefined;
  if (change.kind === 'Event') return toEventItem(change.stored);
  return change.kind === 'Rollout' ? toRolloutItem(change.stored) : undefined;
}
