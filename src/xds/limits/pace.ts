/**
 * A rate with room for a burst (a token bucket, kept as the time when its debt is paid). Times in ms. Pure.
 */
export class Pace {
  readonly #intervalMs: number;
  readonly #burstMs: number;
  #paidAt = Number.NEGATIVE_INFINITY;

  /** `burst` at once after a pause, `perSecond` from then on. */
  constructor(perSecond: number, burst: number) {
    this.#intervalMs = 1000 / perSecond;
    this.#burstMs = (Math.max(1, burst) - 1) * this.#intervalMs;
  }

  /** How long the next one has to wait; 0: it may pass now. */
  waitOf(now: number): number {
    return Math.max(0, this.#paidAt - this.#burstMs - now);
  }

  /** Whether a pause has given back half of the burst. */
  isRested(now: number): boolean {
    return this.#paidAt - now <= this.#burstMs / 2;
  }

  /** One passes, or is to pass after its wait; `cost` may be more than the burst: the next ones wait for it. */
  take(now: number, cost = 1): void {
    this.#paidAt = Math.max(this.#paidAt, now) + cost * this.#intervalMs;
  }
}
