/** Lets at most `places` jobs run at once and `waiting` wait, first come first served; who waits may give up. */
export class TrialQueue {
  #free: number;
  readonly #room: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number, waiting: number) {
    this.#free = places;
    this.#room = waiting;
  }

  get isFull(): boolean {
    return this.#free === 0 && this.#waiting.length >= this.#room;
  }

  async run<T>(job: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free--;
    else await this.#wait(signal);
    try {
      return await job();
    } finally {
      // Whoever ends hands its place over.
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(enter), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(enter);
    });
  }
}
