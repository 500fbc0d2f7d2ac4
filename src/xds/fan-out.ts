import type { Clock, Log, NextTurn } from '../model/ports.ts';

export interface FanOutOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly nextTurn: NextTurn;
  /** Hands to a node what it is to have now. */
  readonly serve: (nodeId: string) => void;
}

/**
 * After so much work at a stretch whatever came meanwhile has its turn: answers, pings, other requests. Not sooner: in each
 * turn all that were served before have answered, and whoever is still to be served waits for these answers to be read.
 * Beginning with 4 ms, and twice as much each time, the last of 5,000 had its push a quarter later.
 */
const SLICE_MS = 256;
/** Left of a change are few when this many times more were served in the turn. */
const FEW = 2;

/**
 * A change for a whole fleet, handed to its nodes a quarter of a second's worth at a time: nothing else is answered while
 * that lasts, and nothing of it is on the wire before. Each node is served once, however often it was marked meanwhile.
 */
export class FanOut {
  readonly #options: FanOutOptions;
  /** In the order in which they are served. */
  readonly #due = new Set<string>();
  #isPlanned = false;
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
    if (this.#isPlanned || this.#due.size === 0) return;
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
      if (tookMs >= (isFew ? 2 * SLICE_MS : SLICE_MS) || tookMs < 0) return;
    }
  }
}
