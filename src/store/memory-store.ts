import { EmbeddedStore } from './embedded-store.ts';
import type { Engine, Row, Write } from './engine.ts';
import { compareKeys } from './key-order.ts';
import type { Kind } from './record-kinds.ts';
import type { Segment } from './segment.ts';
import type { Store } from './store.ts';

/** A Store that keeps nothing: the same contract without a disk, for tests and short-lived uses. */
export function createMemoryStore(): Store {
  return new EmbeddedStore(new MemoryEngine());
}

class MemoryEngine implements Engine {
  revision = 0;
  /** What it keeps is gone with it: there is nothing to hide. */
  readonly digestKey = 'memory';
  readonly #kinds = new Map<Kind, Map<string, Row>>();

  read(kind: Kind, key: string): Row | undefined {
    return this.#kinds.get(kind)?.get(key);
  }

  scan(kind: Kind, prefix: string): readonly Row[] {
    const rows = [...(this.#kinds.get(kind)?.values() ?? [])];
    return rows.filter(row => row.key.startsWith(prefix)).sort((a, b) => compareKeys(a.key, b.key));
  }

  segments(): Iterable<Segment> {
    return [];
  }

  apply(revision: number, writes: readonly Write[]): void {
    for (const { kind, key, row } of writes) {
      const rows = this.#kinds.get(kind) ?? new Map<string, Row>();
      this.#kinds.set(kind, rows);
      if (row === undefined) rows.delete(key);
      else rows.set(key, { ...row, createdRevision: rows.get(key)?.createdRevision ?? row.createdRevision });
    }
    this.revision = revision;
  }

  close(): void {}
}
