import type { Clock, Log, NextTurn } from '../model/ports.ts';

export interface FanOutOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly nextTurn: NextTurn;
  /** Hands to a node what it is to have now. */
  readonly serve: (nodeId: string) => void;
}

/**
 * After so much work at a stretch whatever came meanwhile has its turn: answers, pings, other requests. What is left takes
 * twice as long at a time, up to LONGEST_MS: in each turn all that were served in the one before have answered, and whoever
 * is still to be served waits for these answers to be read. With at most 64 ms the last of 5,000 had its push a sixth later.
 */
const SLICE_MS = 4;
const LONGEST_MS = 256;
/** Left of a change are few when this many times more were served in the turn. */
const FEW = 2;

/**
 * A change for a whole fleet, handed to its nodes a few milliseconds' worth at a time: in one go, the first of 5,000 got
 * nothing before the last was done, seconds later. Each node is served once, however often it was marked meanwhile.
 */
export class FanOut {
  readonly #options: FanOutOptions;
  /** In the order in which they are served. */
  readonly #due = new Set<string>();
  #isPlanned = false;
  #sliceMs = SLICE_MS;
  #cancel: (() => void) | undefined;

  constructor(options: FanOutOptions) {
    this.#options = options;
  }

  /** There is something new for this node. */
  mark(nodeId: string): void {
    this.#due.add(nodeId);
    this.#plan();
  }

  /** A node that asks for something does not wait for its turn, and is never answered from before the change. */
  serveNow(nodeId: string): void {
    if (this.#due.delete(nodeId)) this.#options.serve(nodeId);
  }

  stop(): void {
    this.#due.clear();
    this.#cancel?.();
  }

  #plan(): void {
    if (this.#isPlanned) return;
    if (this.#due.size === 0) {
      this.#sliceMs = SLICE_MS;
      return;
    }
    this.#isPlanned = true;
    this.#cancel = this.#options.nextTurn(() => {
      this.#isPlanned = false;
      this.#serveSome();
      this.#plan();
    });
  }

  #serveSome(): void {
    const { clock, log, serve } = this.#options;
    const began = clock.now();
    const mostMs = this.#sliceMs;
    this.#sliceMs = Math.min(2 * mostMs, LONGEST_MS);
    let served = 0;
    for (const nodeId of this.#due) {
      this.#due.delete(nodeId);
      served += 1;
      try {
        serve(nodeId);
      } catch (error) {
        log.error({ err: error, node: nodeId }, 'what is new could not be handed to a node');
      }
      const tookMs = clock.now() - began;
      // A few that are left go along: in a turn of their own they would wait for all answers to this one.
      const isFew = this.#due.size * FEW <= served;
      // A clock that was set back does not make it long.
      if (tookMs >= (isFew ? 2 * mostMs : mostMs) || tookMs < 0) return;
    }
  }
}
