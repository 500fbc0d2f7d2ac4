import type { Clock } from '../../src/model/ports.ts';

interface Timer {
  readonly at: number;
  readonly sequence: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/**
 * The one clock of a simulated world. It stands still until it is run; callbacks come in the order of their time,
 * and everything that one of them set going (promises of the store and the stages) ends before the next begins.
 */
export class SimClock implements Clock {
  #now = 1_000_000;
  #sequence = 0;
  /** A binary heap by time, then by order of request. */
  readonly #timers: Timer[] = [];
  /** Callbacks run so far: what a story cost. */
  events = 0;

  readonly now = (): number => this.#now;

  readonly after = (delayMs: number, callback: () => void): (() => void) => {
    const at = this.#now + Math.max(0, delayMs);
    const timer: Timer = { at, sequence: this.#sequence++, callback, cancelled: false };
    this.#push(timer);
    return () => {
      timer.cancelled = true;
    };
  };

  /** Runs everything due within the next `ms`, or until `ended` says so after a callback. */
  async run(ms: number, ended: () => boolean = () => false): Promise<void> {
    const end = this.#now + ms;
    await settle();
    for (;;) {
      const next = this.#timers[0];
      if (next === undefined || next.at > end) break;
      this.#pop();
      if (next.cancelled) continue;
      this.#now = Math.max(this.#now, next.at);
      this.events += 1;
      next.callback();
      await settle();
      if (ended()) return;
    }
    this.#now = end;
  }

  #push(timer: Timer): void {
    const heap = this.#timers;
    let i = heap.push(timer) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!isBefore(timer, heap[parent]!)) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = timer;
  }

  #pop(): void {
    const heap = this.#timers;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, last)) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence);
}

/** All promises that can go on have gone on: the next turn of the event loop comes after the last of them. */
export function settle(): Promise<void> {
  return new Promise(resolve => {
    setImmediate(resolve);
  });
}
