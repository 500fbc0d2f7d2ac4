import { AttacheError } from '../model/error.ts';
import type { Expected, KeyOperation } from './store.ts';

/**
 * conflict: an expectation does not hold. invalid-operation: a key or a transaction that no engine takes.
 * store-closed: used after close. data-directory-in-use: another process has it, or this one twice.
 * data-directory-unusable: it cannot be made, read or written. store-damaged: the file is not sound.
 * store-newer: a later Attaché wrote it. sqlite-too-old: a release that can lose data. store-full: no space.
 * store-failed: any other fault of the disk or the engine. secret-key-failed: the key of stored secrets is not usable.
 */
export type StoreErrorCode =
  | 'conflict'
  | 'invalid-operation'
  | 'store-closed'
  | 'data-directory-in-use'
  | 'data-directory-unusable'
  | 'store-damaged'
  | 'store-newer'
  | 'sqlite-too-old'
  | 'store-full'
  | 'store-failed'
  | 'secret-key-failed';

/** A fault of the store, or a write that must not happen. */
export class StoreError extends AttacheError<StoreErrorCode> {}

/** A write whose expectation does not hold; nothing was written. */
export class ConflictError extends StoreError {
  /** Which operation of the transaction (0 for a single put or delete). */
  readonly index: number;
  readonly operation: KeyOperation;
  /** What the key's expectation would have to be now. */
  readonly current: Expected;

  constructor(index: number, operation: KeyOperation, current: Expected) {
    const found = current === 'absent' ? 'does not exist' : `is at revision ${current}`;
    const wanted = operation.expected === 'absent' ? 'absent' : `at revision ${operation.expected}`;
    super('conflict', `${operation.kind} ${JSON.stringify(operation.key)} ${found}, expected ${wanted}`);
    this.index = index;
    this.operation = operation;
    this.current = current;
  }
}
