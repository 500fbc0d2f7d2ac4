/** Counts the calls of a method of a class, whoever makes them: those with a first argument that was not seen before. */
export class CallCount<T extends object, N extends keyof T & string> {
  calls = 0;
  readonly #prototype: T;
  readonly #name: N;
  readonly #method: T[N];
  readonly #seen = new WeakSet();

  constructor(prototype: T, name: N) {
    this.#prototype = prototype;
    this.#name = name;
    this.#method = prototype[name];
    const method = this.#method as (...values: unknown[]) => unknown;
    const count = (first: unknown): void => {
      if (typeof first === 'object' && first !== null) {
        if (this.#seen.has(first)) return;
        this.#seen.add(first);
      }
      this.calls += 1;
    };
    function counted(this: T, ...values: unknown[]): unknown {
      count(values[0]);
      return method.apply(this, values);
    }
    prototype[name] = counted as T[N];
  }

  /** Puts the method back. */
  end(): void {
    this.#prototype[this.#name] = this.#method;
  }
}
