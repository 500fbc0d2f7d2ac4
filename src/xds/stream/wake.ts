import type { Clock } from '../../model/ports.ts';

/**
 * The one timer of a session. What is due later than it rings is found when it rings, so most events set none: to set and
 * cancel one for every push and every answer took a microsecond each.
 */
export class Wake {
  readonly #clock: Clock;
  readonly #onWake: () => void;
  #at = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, onWake: () => void) {
    this.#clock = clock;
    this.#onWake = onWake;
  }

  /** Rings then at the latest, ms, but not at once. */
  by(at: number): void {
    if (at >= this.#at) return;
    this.#cancel?.();
    const delayMs = Math.max(1, at - this.#clock.now());
    this.#at = at;
    this.#cancel = this.#clock.after(delayMs, () => {
      this.cancel();
      this.#onWake();
    });
  }

  cancel(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#at = Number.POSITIVE_INFINITY;
  }
}
