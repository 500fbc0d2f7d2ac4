/**
 * Remembers what was made for a key. Of more than `limit` values the ones not asked for lately are forgotten, so
 * it holds at most twice as many.
 */
export class Memo<V> {
  readonly #limit: number;
  #recent = new Map<string, V>();
  #older = new Map<string, V>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The value made for the key before, or a new one. */
  get(key: string, make: () => V): V {
    const recent = this.#recent.get(key);
    if (recent !== undefined) return recent;
    const value = this.#older.get(key) ?? make();
    if (this.#recent.size >= this.#limit) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(key, value);
    return value;
  }
}
