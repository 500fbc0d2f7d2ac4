import type { Clock } from '../../model/ports.ts';
import { Pace } from './pace.ts';

/** A new stream waits for its turn this long at most; what the event loop stands still does not count. */
export const ADMISSION_WAIT_MS = 1000;
/** So many may begin between two looks at the event loop: about 20 ms of work. */
export const TURNS_PER_LOOK = 32;
export const LOOK_EVERY_MS = 5;
/** A look that comes so much too late says that there is more work than time. */
export const LATE_MS = 100;
/** New streams that begin in each second all the same. */
export const TURNS_WHILE_LATE = 100;

/** A stream that is not served yet. */
export interface Waiter {
  /** When it came, ms. */
  readonly since: number;
  /** Must not throw: others wait behind it. */
  begin(): void;
  refuse(): void;
}

/**
 * Lets new discovery streams begin as fast as the event loop keeps up with what they cause, so that a fleet that comes back
 * at once does not keep those waiting who are served already. Looks at the loop only while streams begin.
 */
export class StreamTurns {
  readonly #clock: Clock;
  readonly #whileLate = new Pace(TURNS_WHILE_LATE, TURNS_WHILE_LATE);
  /** In the order in which they came; how long the loop had stood still by then, ms. */
  readonly #waiting = new Map<Waiter, number>();
  #stalledMs = 0;
  #turns = TURNS_PER_LOOK;
  #dueAt: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a stream that has just come may begin at once. */
  take(): boolean {
    this.#keepLooking();
    if (this.#waiting.size > 0 || this.#turns === 0) return false;
    this.#turns -= 1;
    return true;
  }

  /** Begins when its turn has come, or is refused when it has waited too long. The answer takes it back. */
  wait(waiter: Waiter): () => void {
    this.#keepLooking();
    this.#waiting.set(waiter, this.#stalledMs);
    return () => this.#waiting.delete(waiter);
  }

  #keepLooking(): void {
    if (this.#dueAt !== undefined) return;
    this.#dueAt = this.#clock.now() + LOOK_EVERY_MS;
    this.#clock.after(LOOK_EVERY_MS, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.now();
    const lateMs = now - (this.#dueAt ?? now);
    const isLate = lateMs > LATE_MS;
    // Nobody could be let in meanwhile: that is not their waiting.
    this.#stalledMs += Math.max(0, lateMs - LATE_MS);
    const isCalm = this.#waiting.size === 0 && this.#turns === TURNS_PER_LOOK;
    this.#dueAt = undefined;
    this.#turns = isLate ? 0 : TURNS_PER_LOOK;
    for (const waiter of this.#waiting.keys()) {
      const isTurn = isLate ? this.#whileLate.waitOf(now) === 0 : this.#turns > 0;
      if (!isTurn) break;
      if (isLate) this.#whileLate.take(now);
      else this.#turns -= 1;
      this.#waiting.delete(waiter);
      waiter.begin();
    }
    for (const [waiter, stalledMs] of this.#waiting) {
      if (now - waiter.since - (this.#stalledMs - stalledMs) < ADMISSION_WAIT_MS) continue;
      this.#waiting.delete(waiter);
      waiter.refuse();
    }
    if (!isCalm) this.#keepLooking();
  }
}
