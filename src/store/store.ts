/**
 * The interface of the store. Embedded default: node:sqlite; many replicas: etcd later. One contract suite
 * (test/contract/store-contract.ts) holds for every engine.
 *
 * Values are JSON. A revision is the store-wide number of the transaction that wrote: one transaction, one
 * revision. Everything is addressed by kind and key; keys sort by code point (the order of their UTF-8 bytes).
 * What goes wrong is a StoreError (store-error.ts); after close everything but close throws `store-closed`.
 */
export interface Store {
  get<K extends Kind>(kind: K, key: string): Promise<Stored<Records[K]> | undefined>;
  /** All of a kind whose key begins with `prefix`, by key, as of one revision. */
  list<K extends Kind>(kind: K, prefix?: string): Promise<Listing<Records[K]>>;
  /** Durable when it resolves. Throws StoreError `conflict` with the current revision when `expected` differs. */
  put<K extends WritableKind>(kind: K, key: string, value: Records[K], expected?: Expected): Promise<number>;
  delete(kind: WritableKind, key: string, expected?: Expected): Promise<number>;
  /**
   * All or nothing, one revision; a failed expectation names the operation (ConflictError). A transaction that
   * changes nothing answers the current revision. Two operations on one key are `invalid-operation`, and so is any but
   * `append` on the kinds of the audit.
   */
  transaction(operations: readonly Operation[]): Promise<number>;
  /**
   * The records of a kind that changed, batch by batch, beginning with all that exist. A slow reader may miss
   * intermediate values of a key, never its last. Ends when the signal aborts or the store closes.
   * The first batch is all that exists, empty when nothing does; after any batch, what the reader knows is the store
   * as of one revision.
   */
  watch<K extends Kind>(kinds: readonly K[], signal: AbortSignal): AsyncIterable<readonly Change[]>;
  close(): Promise<void>;
}

/** `absent`: the key must not exist; a number: its revision must be this. */
export type Expected = 'absent' | number;

export interface Stored<T> {
  readonly key: string;
  readonly value: T;
  /** Store revision that last wrote it. */
  readonly revision: number;
  /** Store revision that created it. */
  readonly createdRevision: number;
}

export interface Listing<T> {
  readonly revision: number;
  readonly records: readonly Stored<T>[];
}

export type Operation =
  | KeyOperation
  /**
   * Adds an entry to the audit. The store gives it its number, the hash of the entry before, and what this very
   * transaction changes, so that nothing can come between; on etcd AuditHead is compared in the transaction.
   */
  | { op: 'append'; kind: 'AuditEntry'; value: AuditDraft };

/** On one record. */
export type KeyOperation =
  | {
      [K in WritableKind]: { op: 'put'; kind: K; key: string; value: Records[K]; expected?: Expected };
    }[WritableKind]
  | { op: 'delete'; kind: WritableKind; key: string; expected?: Expected }
  /** Compares only. */
  | { op: 'check'; kind: WritableKind; key: string; expected: Expected };

/** A key's newest value, or that it is gone. `initial` marks what existed when the watch began. */
export type Change = {
  [K in Kind]: { kind: K; key: string; initial: boolean; stored: Stored<Records[K]> | undefined };
}[Kind];

import type { AuditDraft } from '../model/audit.ts';
import type { Kind, Records, WritableKind } from './record-kinds.ts';

export type { Kind, Records, WritableKind };
