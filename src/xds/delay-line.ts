import type { Clock } from '../model/ports.ts';

/**
 * Whatever is added comes out the same time later, in the same order: one timer for thousands. A timer for each push of a
 * fleet took 2 µs of it.
 */
export class DelayLine<T extends {}> {
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #onDue: (item: T, since: number) => void;
  #waiting: T[] = [];
  /** Since when each waits. Not one object for both: it would outlive two collections, with 56 bytes for each push of a fleet. */
  #since: number[] = [];
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
    this.#waiting.push(item);
    this.#since.push(since);
    if (this.#cancelTimer === undefined) this.#wakeIn(this.#delayMs);
  }

  /** Nothing comes out any more; the answer is what would have. */
  stop(): readonly T[] {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const waiting = this.#waiting.slice(this.#gone);
    this.#waiting = [];
    this.#since = [];
    this.#gone = 0;
    return waiting;
  }

  #wakeIn(ms: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.after(ms, () => this.#onTimer());
  }

  #onTimer(): void {
    this.#cancelTimer = undefined;
    const now = this.#clock.now();
    for (let item = this.#waiting[this.#gone]; item !== undefined; item = this.#waiting[this.#gone]) {
      const since = this.#since[this.#gone] ?? now;
      const left = since + this.#delayMs - now;
      // More than all of it is left where the clock was set back.
      if (left > 0 && left <= this.#delayMs) {
        this.#wakeIn(left);
        break;
      }
      this.#gone += 1;
      this.#onDue(item, since);
    }
    // Not each time: where thousands wait, a timer that takes a few out would copy all the others.
    if (this.#gone * 2 < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#gone);
    this.#since = this.#since.slice(this.#gone);
    this.#gone = 0;
  }
}
