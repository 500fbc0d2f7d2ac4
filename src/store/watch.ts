import type { Kind } from './record-kinds.ts';
import type { Change } from './store.ts';

/**
 * The fan-out of changes, fed after each commit. A watcher holds only the newest change of each key, so a slow one
 * costs no more memory than there are keys, and never misses the last.
 */
export class WatchHub {
  readonly #watchers = new Set<Watcher>();
  #closed = false;

  /** Whether anyone watches this kind: building changes for nobody is not worth it. */
  wants(kind: Kind): boolean {
    for (const watcher of this.#watchers) if (watcher.kinds.has(kind)) return true;
    return false;
  }

  publish(changes: readonly Change[]): void {
    for (const watcher of this.#watchers) watcher.offer(changes);
  }

  /** Ends every watch; changes not taken by then are dropped. */
  close(): void {
    this.#closed = true;
    for (const watcher of this.#watchers) watcher.wake();
  }

  /**
   * The watch of Store: first what `load` answers, then changes, in batches taken whole. `load` and the
   * registration happen in one step, so that no commit falls between them.
   */
  async *watch(
    kinds: readonly Kind[],
    load: () => readonly Change[],
    signal: AbortSignal,
  ): AsyncGenerator<readonly Change[], void, void> {
    const watcher = new Watcher(kinds);
    const onAbort = () => watcher.wake();
    signal.addEventListener('abort', onAbort);
    try {
      if (signal.aborted) return;
      const initial = load();
      this.#watchers.add(watcher);
      yield initial;
      while (!signal.aborted && !this.#closed) {
        const changes = watcher.take();
        if (changes.length > 0) yield changes;
        else await watcher.changed();
      }
    } finally {
      this.#watchers.delete(watcher);
      signal.removeEventListener('abort', onAbort);
    }
  }
}

/** What one reader has not taken yet. */
class Watcher {
  readonly kinds: ReadonlySet<Kind>;
  #pending = new Map<string, Change>();
  #wake: (() => void) | undefined;

  constructor(kinds: readonly Kind[]) {
    this.kinds = new Set(kinds);
  }

  offer(changes: readonly Change[]): void {
    for (const change of changes)
      if (this.kinds.has(change.kind)) this.#pending.set(`${change.kind}\n${change.key}`, change);
    if (this.#pending.size > 0) this.wake();
  }

  take(): readonly Change[] {
    const changes = [...this.#pending.values()];
    this.#pending = new Map();
    return changes;
  }

  /** Resolves at the next wake. Called only when there is nothing to take; no await lies between. */
  changed(): Promise<void> {
    return new Promise(resolve => {
      this.#wake = resolve;
    });
  }

  wake(): void {
    this.#wake?.();
    this.#wake = undefined;
  }
}
