import { findPlace } from '../model/sorted-list.ts';
import type { Row } from './engine.ts';
import { compareKeys } from './key-order.ts';
import type { Kind } from './record-kinds.ts';
import type { Stored } from './store.ts';

const MIB = 1024 * 1024;

/**
 * Kinds that answers are made of and that are written rarely, and how much text of each is kept in memory as records at
 * most, in characters of JSON. With 1,000 plugins an answer read and parsed 5 MB of them, in 60 ms.
 */
const KEPT: Partial<Record<Kind, number>> = {
  PluginSpec: 4 * MIB,
  ModuleProgress: 4 * MIB,
  Assignment: 4 * MIB,
  Rollout: 16 * MIB,
  // Each holds the nodes that it moved.
  RolloutNodes: 4 * MIB,
  Revision: 4 * MIB,
  Quarantine: 2 * MIB,
  NodeGroup: 2 * MIB,
  NodePolicy: 4 * MIB,
};

export function isKept(kind: Kind): boolean {
  return KEPT[kind] !== undefined;
}

interface Kept {
  readonly stored: Stored<unknown>;
  /** Of its text. */
  readonly size: number;
}

interface Table {
  readonly byKey: Map<string, Kept>;
  /** Of all in `byKey`. */
  size: number;
  /** All of the kind, by key, but for what `written` says; undefined: nobody asked, or there is too much. */
  list: readonly Stored<unknown>[] | undefined;
  /** Keys that were written since `list` was made. */
  readonly written: Set<string>;
}

/**
 * Records of these kinds as they were parsed last. Readers are given the same Stored for as long as it is not written
 * again, and the same list for as long as none of its kind is: what is derived from them can be remembered by the object.
 * Lists are frozen: one reader that sorted its own would have sorted everybody's.
 */
export class KeptRecords {
  readonly #tables = new Map<Kind, Table>();
  readonly #parse: (kind: Kind, row: Row) => Stored<unknown>;
  readonly #limits: Partial<Record<Kind, number>>;

  /** `limits`: characters kept of each kind; default KEPT. */
  constructor(parse: (kind: Kind, row: Row) => Stored<unknown>, limits = KEPT) {
    this.#parse = parse;
    this.#limits = limits;
  }

  /** `read` answers what the engine has. */
  get(kind: Kind, key: string, read: () => Row | undefined): Stored<unknown> | undefined {
    const known = this.#table(kind).byKey.get(key);
    if (known !== undefined) return known.stored;
    const row = read();
    if (row === undefined) return undefined;
    const stored = this.#parse(kind, row);
    const limit = this.#limits[kind] ?? 0;
    if (this.#table(kind).size + row.text.length > limit) this.#tables.delete(kind);
    if (row.text.length <= limit) add(this.#table(kind), { stored, size: row.text.length });
    return stored;
  }

  /** `scan` answers all that the engine has, by key. */
  list(
    kind: Kind,
    scan: () => readonly Row[],
    read: (key: string) => Row | undefined,
  ): readonly Stored<unknown>[] {
    const table = this.#table(kind);
    if (table.list === undefined) {
      table.list = Object.freeze(scan().map(row => this.#keepNewest(table, kind, row)));
    } else if (table.written.size > 0) {
      const written = [...table.written].map(key => ({ key, stored: this.get(kind, key, () => read(key)) }));
      table.list = Object.freeze(patch(table.list, written));
    }
    table.written.clear();
    if (table.size > (this.#limits[kind] ?? 0)) this.#tables.delete(kind);
    return table.list;
  }

  /**
   * Those whose key begins with `prefix`, where all of the kind are in memory; undefined: they are not. The module stage
   * asks for the revisions of each plugin at the start: to read and parse them once more took 100 µs a plugin.
   */
  listPrefix(
    kind: Kind,
    prefix: string,
    read: (key: string) => Row | undefined,
  ): readonly Stored<unknown>[] | undefined {
    if (this.#tables.get(kind)?.list === undefined) return undefined;
    const all = this.list(kind, () => [], read);
    const begin = findPlace(all, ({ key }) => compareKeys(key, prefix) < 0);
    let end = begin;
    while (all[end]?.key.startsWith(prefix) === true) end += 1;
    return all.slice(begin, end);
  }

  /** A transaction wrote or removed it. */
  forget(kind: Kind, key: string): void {
    const table = this.#tables.get(kind);
    if (table === undefined) return;
    remove(table, key);
    if (table.list !== undefined) table.written.add(key);
  }

  #keepNewest(table: Table, kind: Kind, row: Row): Stored<unknown> {
    const known = table.byKey.get(row.key);
    if (known?.stored.revision === row.revision) return known.stored;
    const stored = this.#parse(kind, row);
    remove(table, row.key);
    add(table, { stored, size: row.text.length });
    return stored;
  }

  #table(kind: Kind): Table {
    const known = this.#tables.get(kind);
    if (known !== undefined) return known;
    const table: Table = { byKey: new Map(), size: 0, list: undefined, written: new Set() };
    this.#tables.set(kind, table);
    return table;
  }
}

function add(table: Table, kept: Kept): void {
  table.byKey.set(kept.stored.key, kept);
  table.size += kept.size;
}

function remove(table: Table, key: string): void {
  table.size -= table.byKey.get(key)?.size ?? 0;
  table.byKey.delete(key);
}

/** Most writes change one record of many: it is put where it was or belongs. */
function patch(
  list: readonly Stored<unknown>[],
  written: readonly { readonly key: string; readonly stored: Stored<unknown> | undefined }[],
): Stored<unknown>[] {
  const next = [...list];
  for (const { key, stored } of written) {
    const at = findPlace(next, stored => compareKeys(stored.key, key) < 0);
    const isThere = next[at]?.key === key;
    if (stored !== undefined) next.splice(at, isThere ? 1 : 0, stored);
    else if (isThere) next.splice(at, 1);
  }
  return next;
}
