import { parseJointText, toJointText } from './joint-json.ts';
import { type Kind, OBSERVED_KINDS } from './record-kinds.ts';
import { type EntryHead, isHead, toHeads, toHeadsText } from './segment-heads.ts';
import type { Stored } from './store.ts';
import { StoreError } from './store-error.ts';

/**
 * Entries of observed records that were written together: one row of the engine. What they are about stands apart from
 * their values, so that opening a store parses no segment that later ones have superseded.
 */
export interface Segment {
  /** Ascending in the order of writing: of two entries of one record that of the higher segment holds. */
  readonly sequence: number;
  readonly form: SegmentForm;
  /** JSON, which breaks no line; of no two entries about the same record. See segment-heads.ts. */
  readonly heads: string;
  /**
   * The value of each entry, null where the record is gone. One text for all: to make one for each record takes twice the
   * time. See joint-json.ts.
   */
  readonly values: string;
}

/** How the texts are to be read: 1, of schema 4 and before, is JSON of a list of heads and of a list of values. */
export type SegmentForm = 1 | 2;

/** What a transaction does to the segments. */
export interface SegmentChange {
  readonly added: readonly Segment[];
  /** Every segment up to this sequence goes; 0: none does. */
  readonly droppedTo: number;
}

/** What a record becomes. */
export interface SegmentEntry {
  readonly kind: Kind;
  readonly key: string;
  /** undefined: it is gone. */
  readonly stored: Stored<unknown> | undefined;
}

/** Throws StoreError `invalid-operation` where a value is not JSON. */
export function toSegment(sequence: number, entries: readonly SegmentEntry[]): Segment {
  try {
    const values = toJointText(entries.map(({ stored }) => stored?.value ?? null));
    return { sequence, form: 2, heads: toHeadsText(entries), values };
  } catch (cause) {
    throw findFault(entries) ?? cause;
  }
}

/** Throws StoreError `store-damaged`. */
export function parseHeads({ sequence, form, heads }: Segment): readonly EntryHead[] {
  const parsed = parse(sequence, () => JSON.parse(heads));
  if (form === 1) {
    if (parsed.every(isHead)) return parsed;
    throw damaged(sequence);
  }
  const found = toHeads(parsed);
  if (found === undefined) throw damaged(sequence);
  return found;
}

/** Throws StoreError `store-damaged`, also when they are not as many as the heads. */
export function parseValues({ sequence, form, values }: Segment, count: number): readonly unknown[] {
  const parsed = parse(sequence, () => (form === 1 ? JSON.parse(values) : parseJointText(values)));
  if (parsed.length !== count) throw damaged(sequence);
  return parsed;
}

/** How many records of each kind are held. */
export function countRecords(newestFirst: Iterable<Segment>): Readonly<Record<string, number>> {
  const seen = new Map<string, Set<string>>(OBSERVED_KINDS.map(kind => [kind, new Set()]));
  const counts: Record<string, number> = {};
  for (const segment of newestFirst)
    for (const { 0: kind, 1: key, length } of parseHeads(segment)) {
      if (seen.get(kind)?.has(key) === true) continue;
      seen.get(kind)?.add(key);
      if (length > 2) counts[kind] = (counts[kind] ?? 0) + 1;
    }
  return counts;
}

function findFault(entries: readonly SegmentEntry[]): StoreError | undefined {
  for (const { kind, key, stored } of entries)
    try {
      JSON.stringify(stored?.value);
    } catch (cause) {
      return new StoreError('invalid-operation', `${kind} ${key}: its value is not JSON`, { cause });
    }
  return undefined;
}

function parse(sequence: number, read: () => unknown): readonly unknown[] {
  let parsed: unknown;
  try {
    parsed = read();
  } catch (cause) {
    throw damaged(sequence, cause);
  }
  if (!Array.isArray(parsed)) throw damaged(sequence);
  return parsed;
}

/** The store's file is not what was written. */
export function damaged(sequence: number, cause?: unknown): StoreError {
  return new StoreError('store-damaged', `segment ${sequence} of the observations is not sound`, { cause });
}
