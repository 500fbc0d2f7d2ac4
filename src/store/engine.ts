import type { Kind } from './record-kinds.ts';
import type { Segment, SegmentChange } from './segment.ts';

/**
 * What an embedded engine must do: a sorted table of texts, and beside it the segments of the observed kinds, with one
 * writer, all calls synchronous. Everything else of the Store contract (expectations, watches, JSON, what is in the
 * segments) is in embedded-store.ts, once for all engines.
 */
export interface Engine {
  /** The revision of the last transaction that wrote. */
  readonly revision: number;
  /** Of this store alone, and in no answer: makes the digests of the audit nobody's to guess at. */
  readonly digestKey: string;
  read(kind: Kind, key: string): Row | undefined;
  /** All rows whose key begins with `prefix`, by key (compareKeys). */
  scan(kind: Kind, prefix: string): readonly Row[];
  /** The segments that are kept, newest first; one that keeps nothing has none. Read when the store is opened. */
  segments(): Iterable<Segment>;
  /**
   * Durable when it returns; when it throws, nothing was written. No two writes have the same kind and key, none is of
   * an observed kind. A row that is there keeps the revision that created it, whatever the write says.
   */
  apply(revision: number, writes: readonly Write[], segments: SegmentChange): void;
  close(): void;
}

export interface Row {
  readonly key: string;
  /** JSON text. */
  readonly text: string;
  readonly revision: number;
  readonly createdRevision: number;
}

/** A row's new content; `row: undefined` removes it. */
export interface Write {
  readonly kind: Kind;
  readonly key: string;
  readonly row: Row | undefined;
}
