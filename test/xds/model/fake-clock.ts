import type { Clock, NextTurn } from '../../../src/model/ports.ts';

/** For tests in which the turns of the event loop do not matter: the next one has come. */
export const atOnce: NextTurn = callback => {
  callback();
  return () => {};
};

/** A clock that stands still until it is told to run; callbacks run in the order of their time. */
export class FakeClock implements Clock {
  #now = 1_000_000;
  #sequence = 0;
  #timers: { at: number; sequence: number; callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + Math.max(0, delayMs), sequence: this.#sequence++, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter(it => it !== timer);
    };
  }

  /** Runs everything due within the next `ms`. */
  run(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers
        .filter(timer => timer.at <= end)
        .sort((a, b) => a.at - b.at || a.sequence - b.sequence)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter(it => it !== next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = end;
  }
}
