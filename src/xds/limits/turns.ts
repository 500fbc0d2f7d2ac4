import type { Clock } from '../../model/ports.ts';

/** What is new waits for its turn this long at most; what the event loop stands still does not count. */
export const TURN_WAIT_MS = 5000;
export const LOOK_EVERY_MS = 5;
/** So many begin at once when all was calm before: about 10 ms of work. */
export const TURNS_AT_ONCE = 16;
/** Turns in a second, while the event loop has no time left at all, and when it has. */
export const FEWEST_PER_SECOND = 50;
export const MOST_PER_SECOND = 4000;
/** Where a crowd begins: the loop shows soon what is right. */
export const FIRST_PER_SECOND = 500;
/** The loop has time left if it had nothing to do for so much of the time. */
export const SPARE_SHARE = 0.05;
/** A look that comes so much too late says that the loop stood still. */
export const LATE_MS = 100;
/**
 * From one look to the next. Down in a tenth of a second, with the work of 30 turns; up faster, because a commit or a
 * collection of garbage leaves no time between two looks either, and must not slow a crowd down that has the loop to itself.
 */
const UP = 1.5;
const DOWN = 0.85;

/** The event loop, and the time for intervals. */
export interface Loop {
  readonly clock: Clock;
  /** How long it has waited for something to do since it began, ms. */
  idleMs(): number;
}

/** Streams go first: the work for their connections is done. */
export type Lane = 'stream' | 'connection';

/** A stream or connection that is not served yet. */
export interface Waiter {
  /** When it came, ms. */
  readonly since: number;
  /** Must not throw: others wait behind it. */
  begin(): void;
  refuse(): void;
}

/**
 * Lets new connections and streams begin in the time that the event loop has left, so that a fleet that comes back at once
 * does not keep those waiting who are served already: a thousand that came again and again made a push to the others
 * three times as long. Looks at the loop only while something begins.
 */
export class Turns {
  readonly #loop: Loop;
  /** In the order in which they came; how long the loop had stood still by then, ms. */
  readonly #lanes: Readonly<Record<Lane, Map<Waiter, number>>> = { stream: new Map(), connection: new Map() };
  #stalledMs = 0;
  #turns = TURNS_AT_ONCE;
  #perSecond = FIRST_PER_SECOND;
  /** undefined: nobody looks. */
  #last: { readonly at: number; readonly idleMs: number } | undefined;

  constructor(loop: Loop) {
    this.#loop = loop;
  }

  /** Whether what has just come may begin at once. */
  take(lane: Lane): boolean {
    this.#keepLooking();
    const { stream, connection } = this.#lanes;
    const before = stream.size + (lane === 'stream' ? 0 : connection.size);
    if (before > 0 || this.#turns < 1) return false;
    this.#turns -= 1;
    return true;
  }

  /** Begins when its turn has come, or is refused when it has waited too long. The answer takes it back. */
  wait(lane: Lane, waiter: Waiter): () => void {
    this.#keepLooking();
    this.#lanes[lane].set(waiter, this.#stalledMs);
    return () => this.#lanes[lane].delete(waiter);
  }

  #keepLooking(): void {
    if (this.#last !== undefined) return;
    this.#perSecond = FIRST_PER_SECOND;
    this.#lookLater();
  }

  #lookLater(): void {
    this.#last = { at: this.#loop.clock.now(), idleMs: this.#loop.idleMs() };
    this.#loop.clock.after(LOOK_EVERY_MS, () => this.#look());
  }

  #look(): void {
    const now = this.#loop.clock.now();
    this.#earn(now);
    for (const waiting of [this.#lanes.stream, this.#lanes.connection])
      for (const waiter of waiting.keys()) {
        if (this.#turns < 1) break;
        this.#turns -= 1;
        waiting.delete(waiter);
        waiter.begin();
      }
    for (const waiting of [this.#lanes.stream, this.#lanes.connection]) this.#refuseOld(waiting, now);
    const { stream, connection } = this.#lanes;
    const isCalm = stream.size + connection.size === 0 && this.#turns >= TURNS_AT_ONCE;
    if (isCalm) this.#last = undefined;
    else this.#lookLater();
  }

  /** Turns for the time since the last look, as many as it shows that there is time for. */
  #earn(now: number): void {
    const { at, idleMs } = this.#last ?? { at: now, idleMs: 0 };
    const tookMs = Math.max(1, now - at);
    // Nobody could be let in meanwhile: that is not their waiting.
    this.#stalledMs += Math.max(0, tookMs - LOOK_EVERY_MS - LATE_MS);
    const isSpare = (this.#loop.idleMs() - idleMs) / tookMs >= SPARE_SHARE;
    const next = this.#perSecond * (isSpare ? UP : DOWN);
    this.#perSecond = Math.min(MOST_PER_SECOND, Math.max(FEWEST_PER_SECOND, next));
    // What was earned during a stall must not become the next one.
    const earned = Math.max(
      (this.#perSecond * Math.min(tookMs, 2 * LOOK_EVERY_MS)) / 1000,
      (FEWEST_PER_SECOND * Math.min(tookMs, LATE_MS)) / 1000,
    );
    this.#turns = Math.min(this.#turns + earned, Math.max(TURNS_AT_ONCE, earned));
  }

  #refuseOld(waiting: Map<Waiter, number>, now: number): void {
    for (const [waiter, stalledMs] of waiting) {
      if (now - waiter.since - (this.#stalledMs - stalledMs) < TURN_WAIT_MS) continue;
      waiting.delete(waiter);
      waiter.refuse();
    }
  }
}
