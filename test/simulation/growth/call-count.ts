/** Counts the calls of a method of a class, whoever makes them, and keeps nothing of them. */
export class CallCount<T extends object, N extends keyof T & string> {
  calls = 0;
  readonly #prototype: T;
  readonly #name: N;
  readonly #method: T[N];

  constructor(prototype: T, name: N) {
    this.#prototype = prototype;
    this.#name = name;
    this.#method = prototype[name];
    const method = this.#method as (...values: unknown[]) => unknown;
    const count = (): void => {
      this.calls += 1;
    };
    function counted(this: T, ...values: unknown[]): unknown {
      count();
      return method.apply(this, values);
    }
    prototype[name] = counted as T[N];
  }

  /** Puts the method back. */
  end(): void {
    this.#prototype[this.#name] = this.#method;
  }
}
