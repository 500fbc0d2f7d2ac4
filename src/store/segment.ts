import { type Kind, OBSERVED_KINDS } from './record-kinds.ts';
import { StoreError } from './store-error.ts';

/**
 * Entries of observed records that were written together: one row of the engine. What they are about stands apart from
 * their values, so that opening a store parses no value that a later segment has superseded.
 */
export interface Segment {
  /** Ascending in the order of writing: of two entries of one record that of the higher segment holds. */
  readonly sequence: number;
  /** JSON: an EntryHead for each entry. No two are about the same record. */
  readonly heads: string;
  /** For each entry a line, the JSON text of its value; empty where the record is gone. JSON.stringify breaks no line. */
  readonly texts: string;
}

/** What a transaction does to the segments. */
export interface SegmentChange {
  readonly added: readonly Segment[];
  /** Every segment up to this sequence goes; 0: none does. */
  readonly droppedTo: number;
}

/** Of a record that is gone: kind and key alone. */
export type EntryHead =
  | readonly [kind: Kind, key: string]
  | readonly [kind: Kind, key: string, createdRevision: number, revision: number];

/** Throws StoreError `store-damaged`. */
export function parseHeads({ sequence, heads }: Segment): readonly EntryHead[] {
  const parsed: unknown = parse(heads, sequence);
  if (!Array.isArray(parsed) || !parsed.every(isHead)) throw damaged(sequence);
  return parsed;
}

/** The value of each entry as text. Throws StoreError `store-damaged` when they are not as many as the heads. */
export function splitTexts({ sequence, texts }: Segment, count: number): readonly string[] {
  const lines = texts.split('\n');
  if (lines.length !== count) throw damaged(sequence);
  return lines;
}

/** The value of one entry. Throws StoreError `store-damaged`. */
export function parse(text: string | undefined, sequence: number): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch (cause) {
    throw damaged(sequence, cause);
  }
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
