import type { Clock } from '../../model/ports.ts';
import type { TrialBounds } from './trial-bounds.ts';
import { type ChildBounds, startChild, type TrialChild } from './trial-child.ts';
import { runTrialProcess } from './trial-process.ts';
import type { TrialOrder } from './trial-protocol.ts';
import type { TrialResult } from './trial-result.ts';

/**
 * A child started ahead, its code loaded, that waits for its order: that is all but 10 of the 110 ms that a trial run of
 * a small module takes. It serves one run, and its successor is a process of its own.
 */
export class SpareChild {
  readonly #bounds: ChildBounds;
  readonly #clock: Clock;
  #waiting: Promise<TrialChild | undefined> | undefined;
  #isClosed = false;

  constructor(bounds: ChildBounds, clock: Clock) {
    this.#bounds = bounds;
    this.#clock = clock;
  }

  /** Starts one unless one waits; where none can be started there is none. Answers its process id. */
  async prepare(): Promise<number | undefined> {
    if (this.#isClosed) return undefined;
    this.#waiting ??= this.#start();
    return (await this.#waiting)?.pid;
  }

  /** In the child that waits where it has these bounds, else in one that is started now. Rejects when `signal` ended it. */
  async run(
    bytes: Uint8Array,
    order: TrialOrder,
    bounds: TrialBounds,
    signal: AbortSignal,
  ): Promise<TrialResult> {
    const child = isFor(this.#bounds, bounds) ? await this.#take() : undefined;
    const result = await runTrialProcess({ bytes, order, bounds, child }, this.#clock, signal);
    // It may have died while it waited.
    if (child === undefined || result.outcome !== 'not-run') return result;
    return runTrialProcess({ bytes, order, bounds }, this.#clock, signal);
  }

  close(): void {
    this.#isClosed = true;
    void this.#take().then(child => child?.kill());
  }

  async #take(): Promise<TrialChild | undefined> {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  async #start(): Promise<TrialChild | undefined> {
    try {
      const child = await startChild('trial-entry', this.#bounds);
      const started = this.#waiting;
      // One that died is not kept for the next run.
      void child.ended.then(() => {
        if (this.#waiting === started) this.#waiting = undefined;
      });
      return child;
    } catch {
      return undefined;
    }
  }
}

/** A child has the bounds that it was started with. */
function isFor(of: ChildBounds, wanted: ChildBounds): boolean {
  return (
    of.memoryPages === wanted.memoryPages &&
    of.heapMiB === wanted.heapMiB &&
    of.isOptimized === wanted.isOptimized &&
    of.processorS === wanted.processorS
  );
}
