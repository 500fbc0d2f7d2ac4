import { type Kind, kindsOf } from './record-kinds.ts';
import type { Change } from './store.ts';

/**
 * The fan-out of changes, fed after each commit. A watcher holds only the newest change of each key, so a slow one
 * costs no more memory than there are keys, and never misses the last.
 */
export class WatchHub {
  readonly #watchers = new Set<Watcher>();
  #kinds: ReadonlySet<Kind> = new Set();
  #closed = false;

  /** Whether anyone watches this kind: building changes for nobody is not worth it. */
  wants(kind: Kind): boolean {
    return this.#kinds.has(kind);
  }

  /** What one commit changed: no two of the same record. */
  publish(changes: readonly Change[]): void {
    const kinds = kindsOf(changes);
    for (const watcher of this.#watchers) watcher.offer(changes, kinds);
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
      this.#count();
      yield initial;
      while (!signal.aborted && !this.#closed) {
        const changes = watcher.take();
        if (changes.length > 0) yield changes;
        else await watcher.changed();
      }
    } finally {
      this.#watchers.delete(watcher);
      this.#count();
      signal.removeEventListener('abort', onAbort);
    }
  }

  #count(): void {
    this.#kinds = new Set([...this.#watchers].flatMap(({ kinds }) => [...kinds]));
  }
}

/** What one reader has not taken yet. */
class Watcher {
  readonly kinds: ReadonlySet<Kind>;
  /** Of one commit; by key only when another one came before it was taken: most are taken in between. */
  #pending: readonly Change[] = [];
  #newest: Map<Kind, Map<string, Change>> | undefined;
  #wake: (() => void) | undefined;

  constructor(kinds: readonly Kind[]) {
    this.kinds = new Set(kinds);
  }

  /** `kinds`: of the changes. */
  offer(changes: readonly Change[], kinds: ReadonlySet<Kind>): void {
    const known = [...kinds].filter(kind => this.kinds.has(kind)).length;
    if (known === 0) return;
    const wanted = known === kinds.size ? changes : changes.filter(({ kind }) => this.kinds.has(kind));
    if (this.#newest === undefined && this.#pending.length === 0) this.#pending = wanted;
    else this.#merge(wanted);
    this.wake();
  }

  take(): readonly Change[] {
    const taken = this.#newest
      ? [...this.#newest.values()].flatMap(ofKind => [...ofKind.values()])
      : this.#pending;
    this.#newest = undefined;
    this.#pending = [];
    return taken;
  }

  #merge(changes: readonly Change[]): void {
    const newest = this.#newest ?? new Map<Kind, Map<string, Change>>();
    for (const change of this.#newest === undefined ? [...this.#pending, ...changes] : changes) {
      const ofKind = newest.get(change.kind);
      if (ofKind === undefined) newest.set(change.kind, new Map([[change.key, change]]));
      else ofKind.set(change.key, change);
    }
    this.#newest = newest;
    this.#pending = [];
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
