import type { Clock, Log, NextTurn } from '../model/ports.ts';

/** A node as it is served. */
export interface Served {
  readonly nodeId: string;
  /** There is something new for it; written here. */
  isDue: boolean;
}

export interface FanOutOptions<Node extends Served> {
  readonly clock: Clock;
  readonly log: Log;
  readonly nextTurn: NextTurn;
  /** Hands to a node what it is to have now. */
  readonly serve: (node: Node) => void;
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
export class FanOut<Node extends Served> {
  readonly #options: FanOutOptions<Node>;
  /** In the order in which they are served; those that are not due any more were served before their turn. */
  #queue: Node[] = [];
  #due = 0;
  #isPlanned = false;
  #cancel: (() => void) | undefined;

  constructor(options: FanOutOptions<Node>) {
    this.#options = options;
  }

  /** There is something new for this node. */
  mark(node: Node): void {
    if (node.isDue) return;
    node.isDue = true;
    this.#due += 1;
    this.#queue.push(node);
    this.#plan();
  }

  /** A node that asks for something does not wait for its turn, and is never answered from before the change. */
  serveNow(node: Node): void {
    if (!node.isDue) return;
    this.#take(node);
    this.#options.serve(node);
  }

  stop(): void {
    for (const node of this.#queue) node.isDue = false;
    this.#queue = [];
    this.#due = 0;
    this.#cancel?.();
  }

  #take(node: Node): void {
    node.isDue = false;
    this.#due -= 1;
  }

  #plan(): void {
    if (this.#isPlanned || this.#due === 0) return;
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
    let at = 0;
    for (; at < this.#queue.length; at += 1) {
      const node = this.#queue[at];
      if (node?.isDue !== true) continue;
      this.#take(node);
      served += 1;
      try {
        serve(node);
      } catch (error) {
        log.error({ err: error, node: node.nodeId }, 'what is new could not be handed to a node');
      }
      const tookMs = clock.now() - began;
      // A few that are left go along: in a turn of their own they would wait for all answers to this one.
      const isFew = this.#due * FEW <= served;
      // A clock that was set back does not make it long.
      if (tookMs >= (isFew ? 2 * SLICE_MS : SLICE_MS) || tookMs < 0) break;
    }
    this.#queue = this.#queue.slice(at + 1);
  }
}
