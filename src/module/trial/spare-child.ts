import { type ChildBounds, startChild, type TrialChild } from './trial-child.ts';

/**
 * A child started ahead, its code loaded, that waits for its first order: that is all but 10 of the 110 ms that a trial
 * run of a small module takes.
 */
export class SpareChild {
  readonly #bounds: ChildBounds;
  #waiting: Promise<TrialChild | undefined> | undefined;
  #isClosed = false;

  constructor(bounds: ChildBounds) {
    this.#bounds = bounds;
  }

  /** Starts one unless one waits; where none can be started there is none. Answers its process id. */
  async prepare(): Promise<number | undefined> {
    if (this.#isClosed) return undefined;
    this.#waiting ??= this.#start();
    return (await this.#waiting)?.pid;
  }

  /** The one that waits, for the caller alone. */
  async take(): Promise<TrialChild | undefined> {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  close(): void {
    this.#isClosed = true;
    void this.take().then(child => child?.kill());
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
