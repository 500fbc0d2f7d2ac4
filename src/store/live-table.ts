type Watcher<V> = (key: string, value: V | undefined, madeFor?: object) => void;

/**
 * Records that do not survive a restart (Snapshot): the latest value per key, in memory, with watchers that are
 * told which key changed. The counterpart of Store for what is recomputed at every start.
 */
export class LiveTable<V> {
  readonly #values = new Map<string, V>();
  readonly #watchers = new Set<Watcher<V>>();
  #make: ((key: string) => V | undefined) | undefined;

  /** Makes the value where there is none and a writer left that open: nobody has seen another, so no watcher is told. */
  get(key: string): V | undefined {
    const known = this.#values.get(key);
    if (known !== undefined || this.#make === undefined) return known;
    const made = this.#make(key);
    if (made !== undefined) this.#values.set(key, made);
    return made;
  }

  /** For the writer: what makes a value that was not set, when somebody asks for it. */
  makeWith(make: (key: string) => V | undefined): void {
    this.#make = make;
  }

  /** What was set, or made. */
  entries(): IterableIterator<[string, V]> {
    return this.#values.entries();
  }

  /** Tells the watchers unless it is the same object; as well what it was made for, where that is said. */
  set(key: string, value: V, madeFor?: object): void {
    if (this.#values.get(key) === value) return;
    this.#values.set(key, value);
    for (const watcher of this.#watchers) watcher(key, value, madeFor);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) for (const watcher of this.#watchers) watcher(key, undefined);
  }

  /** Called synchronously after each change; the answer stops it. */
  watch(watcher: Watcher<V>): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
