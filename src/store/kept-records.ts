import { compareKeys } from './key-order.ts';
import type { Kind } from './record-kinds.ts';
import type { Stored } from './store.ts';

/**
 * Kinds that answers are made of and that are written rarely, and how many of each are kept in memory at most. With 1,000
 * plugins an answer read and parsed 5 MB of them, in 60 ms.
 */
const KEPT: Partial<Record<Kind, number>> = {
  PluginSpec: 20_000,
  ModuleProgress: 20_000,
  Assignment: 20_000,
  Rollout: 100_000,
  // Each holds the nodes that it moved.
  RolloutNodes: 50,
  Revision: 10_000,
  Quarantine: 20_000,
  NodeGroup: 20_000,
  NodePolicy: 50_000,
};

export function isKept(kind: Kind): boolean {
  return KEPT[kind] !== undefined;
}

interface Table {
  readonly byKey: Map<string, Stored<unknown>>;
  /** All of the kind, by key, but for what `written` says; undefined: nobody asked, or there are too many. */
  list: readonly Stored<unknown>[] | undefined;
  /** Keys that were written since `list` was made. */
  readonly written: Set<string>;
}

/**
 * Records of these kinds as they were parsed last. Readers are given the same Stored for as long as it is not written
 * again, and the same list for as long as none of its kind is: what is derived from them can be remembered by the object.
 */
export class KeptRecords {
  readonly #tables = new Map<Kind, Table>();

  /** `read` answers what the engine has. */
  get(kind: Kind, key: string, read: () => Stored<unknown> | undefined): Stored<unknown> | undefined {
    const { byKey } = this.#table(kind);
    const known = byKey.get(key);
    if (known !== undefined) return known;
    const stored = read();
    if (byKey.size >= (KEPT[kind] ?? 0)) this.#tables.delete(kind);
    if (stored !== undefined) this.#table(kind).byKey.set(key, stored);
    return stored;
  }

  /** `scan` answers all that the engine has, by key. */
  list(
    kind: Kind,
    scan: () => readonly Stored<unknown>[],
    read: (key: string) => Stored<unknown> | undefined,
  ): readonly Stored<unknown>[] {
    const table = this.#table(kind);
    if (table.list === undefined) {
      table.list = scan().map(stored => keepNewest(table.byKey, stored));
    } else if (table.written.size > 0) {
      const written = [...table.written].map(key => ({ key, stored: this.get(kind, key, () => read(key)) }));
      table.list = patch(table.list, written);
    }
    table.written.clear();
    if (table.list.length > (KEPT[kind] ?? 0)) this.#tables.delete(kind);
    return table.list;
  }

  /** A transaction wrote or removed it. */
  forget(kind: Kind, key: string): void {
    const table = this.#tables.get(kind);
    if (table === undefined) return;
    table.byKey.delete(key);
    if (table.list !== undefined) table.written.add(key);
  }

  #table(kind: Kind): Table {
    const known = this.#tables.get(kind);
    if (known !== undefined) return known;
    const table: Table = { byKey: new Map(), list: undefined, written: new Set() };
    this.#tables.set(kind, table);
    return table;
  }
}

function keepNewest(byKey: Map<string, Stored<unknown>>, stored: Stored<unknown>): Stored<unknown> {
  const known = byKey.get(stored.key);
  if (known?.revision === stored.revision) return known;
  byKey.set(stored.key, stored);
  return stored;
}

/** Most writes change one record of many: it is put where it was or belongs. */
function patch(
  list: readonly Stored<unknown>[],
  written: readonly { readonly key: string; readonly stored: Stored<unknown> | undefined }[],
): readonly Stored<unknown>[] {
  const next = [...list];
  for (const { key, stored } of written) {
    const at = findPlace(next, key);
    const isThere = next[at]?.key === key;
    if (stored !== undefined) next.splice(at, isThere ? 1 : 0, stored);
    else if (isThere) next.splice(at, 1);
  }
  return next;
}

/** Of the first that does not come before the key. */
function findPlace(list: readonly Stored<unknown>[], key: string): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareKeys(list[middle]?.key ?? '', key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
