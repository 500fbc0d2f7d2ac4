import type { Clock, NextTurn } from '../../model/ports.ts';

/** What is new waits for its turn this long at most; what the event loop stands still does not count. */
export const TURN_WAIT_MS = 5000;
/** So many begin at once when all was calm before: about 10 ms of work. */
export const TURNS_AT_ONCE = 16;
/** So many begin when the loop has nothing else to do: about 3 ms of work. */
export const TURNS_IN_QUIET = 8;
/** In a second, while the loop always has something else to do. */
export const FEWEST_PER_SECOND = 50;
/** A turn of the loop in which nothing happens takes 20 µs; one message that is read, three times as much. */
export const QUIET_MS = 0.2;
/** A turn of the loop that takes so much longer stood still. */
export const LATE_MS = 100;

/** The event loop, and the time for intervals. */
export interface Loop {
  readonly clock: Clock;
  /** After what is there to be read now was read. */
  readonly nextTurn: NextTurn;
}

/**
 * Ends go first: who comes back is not to meet what it left behind. Then streams: the work for their connections is done.
 */
export const LANES = ['end', 'stream', 'connection'] as const;
export type Lane = (typeof LANES)[number];

/** What is new or over, and was not seen to yet. */
export interface Waiter {
  /** When it came, ms. */
  readonly since: number;
  /** Must not throw: others wait behind it. */
  begin(): void;
  refuse(): void;
}

/**
 * Lets connections and streams begin, and connections end, when the event loop has nothing else to do, so that a fleet that
 * goes or comes at once does not keep those waiting who are served: a thousand that came again and again made a push to the
 * others three times as long. While somebody waits the loop does not sleep, and whenever a turn of it was quiet some begin; to
 * look each 5 ms whether it had slept left it idle for a quarter of the time in which a fleet came.
 */
export class Turns {
  readonly #loop: Loop;
  /** In the order in which they came; how long the loop had stood still by then, ms. */
  readonly #lanes: Readonly<Record<Lane, Map<Waiter, number>>> = {
    end: new Map(),
    stream: new Map(),
    connection: new Map(),
  };
  #stalledMs = 0;
  #turns = TURNS_AT_ONCE;
  /** When the last look ended; undefined: nobody looks. */
  #lookedAt: number | undefined;

  constructor(loop: Loop) {
    this.#loop = loop;
  }

  /** Whether what has just come may begin at once. */
  take(lane: Lane): boolean {
    this.#keepLooking();
    if (this.isHeld(lane) || this.#turns < 1) return false;
    this.#turns -= 1;
    return true;
  }

  /** Begins when its turn has come, or is refused when it has waited too long. The answer takes it back. */
  wait(lane: Lane, waiter: Waiter): () => void {
    this.#keepLooking();
    this.#lanes[lane].set(waiter, this.#stalledMs);
    return () => this.#lanes[lane].delete(waiter);
  }

  /** Whether somebody waits before whoever comes now. */
  isHeld(lane: Lane): boolean {
    for (const before of LANES) {
      if (this.#lanes[before].size > 0) return true;
      if (before === lane) break;
    }
    return false;
  }

  now(): number {
    return this.#loop.clock.now();
  }

  #keepLooking(): void {
    if (this.#lookedAt === undefined) this.#lookLater();
  }

  #lookLater(): void {
    this.#lookedAt = this.now();
    this.#loop.nextTurn(() => this.#look());
  }

  #look(): void {
    const now = this.now();
    const tookMs = Math.max(0, now - (this.#lookedAt ?? now));
    // Nobody could be let in meanwhile: that is not their waiting.
    this.#stalledMs += Math.max(0, tookMs - LATE_MS);
    const isQuiet = tookMs < QUIET_MS;
    // What was earned during a stall must not become the next one.
    const earned = (FEWEST_PER_SECOND * Math.min(tookMs, LATE_MS)) / 1000;
    if (isQuiet) this.#turns = Math.max(this.#turns, TURNS_IN_QUIET);
    else this.#turns = Math.min(this.#turns + earned, TURNS_AT_ONCE);
    for (const lane of LANES) this.#beginSome(this.#lanes[lane]);
    for (const lane of LANES) this.#refuseOld(this.#lanes[lane], now);
    if (isQuiet && !this.isHeld('connection')) {
      this.#turns = TURNS_AT_ONCE;
      this.#lookedAt = undefined;
    } else this.#lookLater();
  }

  #beginSome(waiting: Map<Waiter, number>): void {
    for (const waiter of waiting.keys()) {
      if (this.#turns < 1) return;
      this.#turns -= 1;
      waiting.delete(waiter);
      waiter.begin();
    }
  }

  /** In the order in which they came: behind one that may wait longer nobody is too late. */
  #refuseOld(waiting: Map<Waiter, number>, now: number): void {
    for (const [waiter, stalledMs] of waiting) {
      if (now - waiter.since - (this.#stalledMs - stalledMs) < TURN_WAIT_MS) return;
      waiting.delete(waiter);
      waiter.refuse();
    }
  }
}
