import { findPlace } from '../model/sorted-list.ts';
import { compareKeys, sortByKey } from './key-order.ts';
import type { Kind } from './record-kinds.ts';
import { parseHeads, parseValues, type Segment } from './segment.ts';
import {
  type Entry,
  type HeldSegment,
  type ObservedRecord,
  SEGMENT_SIZE,
  type SegmentBounds,
  SegmentLog,
  type SegmentPlan,
  toSize,
} from './segment-log.ts';
import type { Stored } from './store.ts';

/** Records that are gone and still in the order, beside as many as are there. */
const MAX_GONE = 100;

/**
 * The records of the observed kinds: their newest values in memory, and segments that make them durable.
 *
 * A fleet that answers writes thousands of them at once, and every stage reads them. So readers are given the very
 * object that was put and not, as of other kinds, a parse of its text, which cost 7 µs a record; and the same Stored for
 * as long as the record is not written again: what a reader derives from it can be remembered by the object. Hence a
 * writer must not change what it has put, and must put nothing that JSON does not keep. Values are readonly by type;
 * test/simulation freezes them, and compares them with what a restart would read.
 */
export class ObservedRecords {
  readonly #tables = new Map<Kind, Table>();
  readonly #log: SegmentLog;

  /** Of the segments that are kept. Throws StoreError `store-damaged`. */
  constructor(newestFirst: Iterable<Segment>, bounds?: SegmentBounds) {
    const held: HeldSegment[] = [];
    const gone = new Map<Kind, Set<string>>();
    for (const segment of newestFirst) held.push(this.#load(segment, gone));
    this.#log = new SegmentLog(held.reverse(), bounds);
  }

  get(kind: Kind, key: string): Stored<unknown> | undefined {
    return this.#tables.get(kind)?.get(key)?.stored;
  }

  /** All of a kind whose key begins with `prefix`, by key. */
  list(kind: Kind, prefix: string): readonly Stored<unknown>[] {
    return this.#tables.get(kind)?.list(prefix) ?? [];
  }

  /** The record that is there, or one that can be. */
  observe(kind: Kind, key: string): ObservedRecord {
    return this.#tables.get(kind)?.get(key) ?? newRecord(kind, key);
  }

  /** What is to be made durable for these writes: see SegmentLog. */
  plan(entries: readonly Entry[], round: number): SegmentPlan {
    return this.#log.plan(entries, round);
  }

  /** What was planned last is durable: from now on it is what is read. */
  adopt(plan: SegmentPlan): void {
    this.#log.adopt(plan);
    for (const { entries } of plan.drafts)
      for (const { record } of entries) this.#table(record.kind).settle(record);
  }

  /** Entries that a later segment has superseded are passed over: nothing is newer than what was read before. */
  #load(segment: Segment, gone: Map<Kind, Set<string>>): HeldSegment {
    const heads = parseHeads(segment);
    let values: readonly unknown[] | undefined;
    const records: ObservedRecord[] = [];
    const held = { sequence: segment.sequence, records, size: SEGMENT_SIZE + toSize(segment), live: 0 };
    const size = toSize(segment) / heads.length;
    let index = -1;
    for (const { 0: kind, 1: key, 2: createdRevision, 3: revision } of heads) {
      index += 1;
      const table = this.#table(kind);
      if (table.get(key) !== undefined || gone.get(kind)?.has(key) === true) continue;
      if (createdRevision === undefined || revision === undefined) {
        gone.set(kind, (gone.get(kind) ?? new Set()).add(key));
        continue;
      }
      values ??= parseValues(segment, heads.length);
      const stored = { key, value: values[index], revision, createdRevision };
      const record = { kind, key, stored, segment: held, size, isListed: false, place: 0, round: 0 };
      records.push(record);
      held.live += size;
      table.settle(record);
    }
    return held;
  }

  #table(kind: Kind): Table {
    let table = this.#tables.get(kind);
    if (table === undefined) {
      table = new Table();
      this.#tables.set(kind, table);
    }
    return table;
  }
}

/** The records of one kind that are there. */
class Table {
  readonly #records = new Map<string, ObservedRecord>();
  /** By key, once records that came were sorted in and those that went were taken out: where it is read. */
  #order: ObservedRecord[] = [];
  #came = false;
  #gone = 0;
  /** What all of them are now, by key; undefined: nobody asked since the last came or went. */
  #all: Stored<unknown>[] | undefined;
  /** A copy for readers, who have it as it was whatever is written then: 10,000 take 50 µs, and the list anew 1 ms. */
  #given: readonly Stored<unknown>[] | undefined;

  get(key: string): ObservedRecord | undefined {
    return this.#records.get(key);
  }

  /** The whole list is the same for as long as none of the kind is written. */
  list(prefix: string): readonly Stored<unknown>[] {
    if (prefix === '') {
      this.#given ??= this.#listAll().slice();
      return this.#given;
    }
    this.#sort();
    const found: Stored<unknown>[] = [];
    for (
      let i = findPlace(this.#order, ({ key }) => compareKeys(key, prefix) < 0);
      i < this.#order.length;
      i += 1
    ) {
      const stored = this.#order[i]?.stored;
      if (stored?.key.startsWith(prefix) !== true) break;
      found.push(stored);
    }
    return found;
  }

  /** It has come, changed or gone. */
  settle(record: ObservedRecord): void {
    if (record.isListed === (record.stored !== undefined)) {
      // Most that a segment is made anew with are what they were.
      if (record.stored === undefined || this.#all?.[record.place] === record.stored) return;
      this.#given = undefined;
      if (this.#all !== undefined) this.#all[record.place] = record.stored;
      return;
    }
    this.#given = undefined;
    record.isListed = record.stored !== undefined;
    this.#all = undefined;
    if (record.stored === undefined) {
      this.#records.delete(record.key);
      this.#gone += 1;
      // Also where nobody ever reads.
      if (this.#gone > this.#records.size + MAX_GONE) this.#takeOut();
    } else {
      this.#records.set(record.key, record);
      this.#order.push(record);
      this.#came = true;
    }
  }

  #listAll(): Stored<unknown>[] {
    if (this.#all !== undefined) return this.#all;
    this.#sort();
    const all: Stored<unknown>[] = [];
    for (const record of this.#order) {
      if (record.stored === undefined) continue;
      record.place = all.length;
      all.push(record.stored);
    }
    this.#all = all;
    return all;
  }

  #sort(): void {
    if (this.#gone > 0) this.#takeOut();
    if (this.#came) sortByKey(this.#order);
    this.#came = false;
  }

  #takeOut(): void {
    this.#order = this.#order.filter(({ stored }) => stored !== undefined);
    this.#gone = 0;
  }
}

function newRecord(kind: Kind, key: string): ObservedRecord {
  return { kind, key, stored: undefined, segment: undefined, size: 0, isListed: false, place: 0, round: 0 };
}
