import type { Clock } from '../model/ports.ts';

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;
/** Longer than a timer of the runtime can be. */
const LONGEST_WAIT_MS = 86_400_000;

export interface LaneOptions {
  readonly clock: Clock;
  /** Does what is due; answers when to look again, ms, or null. */
  readonly work: () => Promise<number | null>;
  readonly onError: (error: unknown) => void;
}

/** The work on one plugin: never twice at the same time, again when something changed meanwhile, and by a timer. */
export class PluginLane {
  readonly #options: LaneOptions;
  #running: Promise<void> | undefined;
  #due = false;
  #failures = 0;
  #cancelTimer: (() => void) | undefined;
  #cancelSoon: (() => void) | undefined;
  #stopped = false;

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  /** Something changed. */
  poke(): void {
    if (this.#stopped) return;
    this.#due = true;
    this.#running ??= this.#run();
  }

  /** Something changed that comes often and can wait a moment. */
  pokeWithin(delayMs: number): void {
    if (this.#stopped) return;
    this.#cancelSoon ??= this.#options.clock.after(delayMs, () => {
      this.#cancelSoon = undefined;
      this.poke();
    });
  }

  /** Resolves when nothing is being done; what failed and is tried later does not count. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer?.();
    this.#cancelSoon?.();
    await this.idle();
  }

  async #run(): Promise<void> {
    while (this.#due && !this.#stopped) {
      this.#due = false;
      this.#cancelTimer?.();
      this.#cancelTimer = undefined;
      try {
        const wakeAt = await this.#options.work();
        this.#failures = 0;
        if (wakeAt !== null) this.#wakeIn(wakeAt - this.#options.clock.now());
      } catch (error) {
        this.#options.onError(error);
        this.#wakeIn(Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures));
        this.#failures += 1;
      }
    }
    this.#running = undefined;
  }

  #wakeIn(delayMs: number): void {
    if (this.#stopped) return;
    const bounded = Math.min(LONGEST_WAIT_MS, Math.max(0, delayMs));
    this.#cancelTimer = this.#options.clock.after(bounded, () => this.poke());
  }
}
