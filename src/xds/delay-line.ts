import type { Clock } from '../model/ports.ts';

interface Waiting<T> {
  readonly item: T;
  readonly since: number;
}

/**
 * Whatever is added comes out the same time later, in the same order: one timer for thousands. A timer for each push of a
 * fleet took 2 µs of it.
 */
export class DelayLine<T> {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #onDue: (item: T, since: number) => void;
  #waiting: Waiting<T>[] = [];
  /** So many at its beginning have come out. */
  #gone = 0;
  #cancelTimer: (() => void) | undefined;

  /** `onDue` is told when the item was added, ms. */
  constructor(clock: Clock, delayMs: number, onDue: (item: T, since: number) => void) {
    this.#clock = clock;
    this.#delayMs = delayMs;
    this.#onDue = onDue;
  }

  /** `since`: now, ms. */
  add(item: T, since: number): void {
    this.#waiting.push({ item, since });
    if (this.#cancelTimer === undefined) this.#wakeIn(this.#delayMs);
  }

  /** Nothing comes out any more; the answer is what would have. */
  stop(): readonly T[] {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    return this.#waiting
      .splice(0)
      .slice(this.#gone)
      .map(({ item }) => item);
  }

  #wakeIn(ms: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.after(ms, () => this.#onTimer());
  }

  #onTimer(): void {
    this.#cancelTimer = undefined;
    const now = this.#clock.now();
    for (let next = this.#waiting[this.#gone]; next !== undefined; next = this.#waiting[this.#gone]) {
      const left = next.since + this.#delayMs - now;
      // More than all of it is left where the clock was set back.
      if (left > 0 && left <= this.#delayMs) {
        this.#wakeIn(left);
        break;
      }
      this.#gone += 1;
      this.#onDue(next.item, next.since);
    }
    // Not each time: where thousands wait, a timer that takes a few out would copy all the others.
    if (this.#gone * 2 < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#gone);
    this.#gone = 0;
  }
}
