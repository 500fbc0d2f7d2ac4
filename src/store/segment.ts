import { type Kind, OBSERVED_KINDS } from './record-kinds.ts';
import type { Stored } from './store.ts';
import { StoreError } from './store-error.ts';

/**
 * Entries of observed records that were written together: one row of the engine. What they are about stands apart from
 * their values, so that opening a store parses no segment that later ones have superseded.
 */
export interface Segment {
  /** Ascending in the order of writing: of two entries of one record that of the higher segment holds. */
  readonly sequence: number;
  /** JSON: an EntryHead for each entry. No two are about the same record. JSON.stringify breaks no line. */
  readonly heads: string;
  /**
   * JSON: an array of the value of each entry, null where the record is gone. One text for all: to make one for each
   * record takes twice the time.
   */
  readonly values: string;
}

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

/** Of a record that is gone: kind and key alone. */
export type EntryHead =
  | readonly [kind: Kind, key: string]
  | readonly [kind: Kind, key: string, createdRevision: number, revision: number];

/** Throws StoreError `invalid-operation` where a value is not JSON. */
export function toSegment(sequence: number, entries: readonly SegmentEntry[]): Segment {
  const heads: EntryHead[] = [];
  const values: unknown[] = [];
  for (const { kind, key, stored } of entries) {
    if (stored === undefined) heads.push([kind, key]);
    else heads.push([kind, key, stored.createdRevision, stored.revision]);
    values.push(stored?.value ?? null);
  }
  try {
    return { sequence, heads: JSON.stringify(heads), values: JSON.stringify(values) };
  } catch (cause) {
    throw findFault(entries) ?? cause;
  }
}

/** Throws StoreError `store-damaged`. */
export function parseHeads({ sequence, heads }: Segment): readonly EntryHead[] {
  const parsed = parse(heads, sequence);
  if (!parsed.every(isHead)) throw damaged(sequence);
  return parsed;
}

/** Throws StoreError `store-damaged`, also when they are not as many as the heads. */
export function parseValues({ sequence, values }: Segment, count: number): readonly unknown[] {
  const parsed = parse(values, sequence);
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

function parse(text: string, sequence: number): readonly unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw damaged(sequence, cause);
  }
  if (!Array.isArray(parsed)) throw damaged(sequence);
  return parsed;
}

function isHead(head: unknown): head is EntryHead {
  if (!Array.isArray(head) || (head.length !== 2 && head.length !== 4)) return false;
  const [kind, key, ...revisions] = head;
  return (
    (OBSERVED_KINDS as readonly unknown[]).includes(kind) &&
    typeof key === 'string' &&
    revisions.every(Number.isSafeInteger)
  );
}

function damaged(sequence: number, cause?: unknown): StoreError {
  return new StoreError('store-damaged', `segment ${sequence} of the observations is not sound`, { cause });
}
