/**
 * Records that do not survive a restart (Snapshot): the latest value per key, in memory, with watchers that are
 * told which key changed. The counterpart of Store for what is recomputed at every start.
 */
export class LiveTable<V> {
  readonly #values = new Map<string, V>();
  readonly #watchers = new Set<(key: string, value: V | undefined) => void>();

  get(key: string): V | undefined {
    return this.#values.get(key);
  }

  entries(): IterableIterator<[string, V]> {
    return this.#values.entries();
  }

  /** Tells the watchers unless it is the same object. */
  set(key: string, value: V): void {
    if (this.#values.get(key) === value) return;
    this.#values.set(key, value);
    for (const watcher of this.#watchers) watcher(key, value);
  }

  delete(key: string): void {
    if (this.#values.delete(key)) for (const watcher of this.#watchers) watcher(key, undefined);
  }

  /** Called synchronously after each change; the answer stops it. */
  watch(watcher: (key: string, value: V | undefined) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
