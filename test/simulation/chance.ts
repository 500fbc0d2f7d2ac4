import { seeded } from '../xds/model/random-world.ts';

/** Everything random of a world: the same seed gives the same story. */
export class Chance {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = seeded(seed);
  }

  /** [0, 1) */
  readonly fraction = (): number => this.#next();

  /** Whether something of this probability happens. */
  is(probability: number): boolean {
    return this.#next() < probability;
  }

  /** An integer from `least` to `most`. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.#next() * (most - least + 1));
  }

  /** One of them; `choices` is not empty. */
  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#next() * choices.length)] as T;
  }

  /** One of them by weight. */
  weighted<T>(choices: readonly (readonly [number, T])[]): T {
    let left = this.#next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    for (const [weight, value] of choices) {
      left -= weight;
      if (left < 0) return value;
    }
    return choices.at(-1)![1];
  }

  /** `count` of them, each once, in random order. */
  some<T>(choices: readonly T[], count: number): T[] {
    const left = [...choices];
    const taken: T[] = [];
    while (taken.length < count && left.length > 0)
      taken.push(...left.splice(Math.floor(this.#next() * left.length), 1));
    return taken;
  }
}
