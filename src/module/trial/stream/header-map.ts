import type { HeaderPairs } from '../../../model/plugin-run.ts';

/** Headers or trailers that a plugin may change. Names are in lower case, as HTTP/2 has them. */
export class HeaderList {
  #pairs: (readonly [string, string])[];

  constructor(pairs: HeaderPairs) {
    this.#pairs = pairs.map(([name, value]) => [name.toLowerCase(), value] as const);
  }

  get pairs(): HeaderPairs {
    return this.#pairs;
  }

  /** As Envoy counts it: names and values, nothing between them. */
  get sizeBytes(): number {
    return this.#pairs.reduce(
      (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value),
      0,
    );
  }

  /** The first value; undefined where there is none. */
  get(name: string): string | undefined {
    const wanted = name.toLowerCase();
    return this.#pairs.find(([other]) => other === wanted)?.[1];
  }

  add(name: string, value: string): void {
    this.#pairs.push([name.toLowerCase(), value]);
  }

  remove(name: string): void {
    const wanted = name.toLowerCase();
    this.#pairs = this.#pairs.filter(([other]) => other !== wanted);
  }

  /** One value, in the place of the first that was there. */
  replace(name: string, value: string): void {
    const wanted = name.toLowerCase();
    const at = this.#pairs.findIndex(([other]) => other === wanted);
    const others = this.#pairs.filter(([other], i) => other !== wanted || i === at);
    this.#pairs = at < 0 ? [...others, [wanted, value]] : others.with(at, [wanted, value]);
  }

  set(pairs: HeaderPairs): void {
    this.#pairs = pairs.map(([name, value]) => [name.toLowerCase(), value] as const);
  }
}
