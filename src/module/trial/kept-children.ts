import type { TrialChild } from './trial-child.ts';

/** A child that has run a module and may run it once more. */
export interface KeptChild {
  readonly child: TrialChild;
  /** How often it has. */
  readonly runs: number;
  /** Processor time that it has taken, ms. */
  readonly usedMs: number;
}

/** Each has some 15 MB to itself. */
const MOST_KEPT = 2;

/** Children for a further run of what they have run, by that; the last that were used. One that dies is not kept. */
export class KeptChildren {
  readonly #kept = new Map<string, KeptChild>();

  get keys(): readonly string[] {
    return [...this.#kept.keys()];
  }

  take(key: string): KeptChild | undefined {
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    return kept;
  }

  keep(key: string, kept: KeptChild): void {
    this.#drop(key);
    this.#kept.set(key, kept);
    for (const oldest of this.keys.slice(0, -MOST_KEPT)) this.#drop(oldest);
    void kept.child.ended.then(() => {
      if (this.#kept.get(key) === kept) this.#kept.delete(key);
    });
  }

  close(): void {
    for (const key of this.keys) this.#drop(key);
  }

  #drop(key: string): void {
    this.take(key)?.child.kill();
  }
}
