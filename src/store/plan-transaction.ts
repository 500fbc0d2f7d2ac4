import { checkKey } from './key-order.ts';
import { APPENDED_KINDS, isObserved, type Kind } from './record-kinds.ts';
import type { SegmentEntry } from './segment.ts';
import type { Expected, KeyOperation, Operation, Stored } from './store.ts';
import { ConflictError, StoreError } from './store-error.ts';

/** What the transaction is planned on. */
export interface TransactionBase {
  /** What is there now. */
  find(kind: Kind, key: string): Pick<Stored<unknown>, 'revision' | 'createdRevision'> | undefined;
  /**
   * Whether a write of this kind must say when its record was created. Where it need not, a put that expects nothing is
   * planned without a look at what is there, as if it were new: the engine keeps what it knows.
   */
  needsCreated(kind: Kind): boolean;
}

export interface PlannedWrite extends SegmentEntry {
  /** JSON of its value; empty where the record goes, and of the observed kinds: segments have their texts together. */
  readonly text: string;
}

const APPENDED: ReadonlySet<Kind> = new Set(APPENDED_KINDS);

/**
 * What a transaction would write at `revision`. Pure. Deleting what does not exist writes nothing. Throws ConflictError
 * for the first expectation that does not hold, and StoreError `invalid-operation` for a key that two operations share
 * or that is no key, for what is only appended to, and for a value that is not JSON.
 */
export function planTransaction(
  operations: readonly Operation[],
  base: TransactionBase,
  revision: number,
): readonly PlannedWrite[] {
  const seen = new Map<Kind, Set<string>>();
  const writes: PlannedWrite[] = [];
  let index = -1;
  for (const operation of operations) {
    index += 1;
    // See append-audit.ts.
    if (operation.op === 'append') continue;
    const { op, kind, key } = operation;
    checkOperation(operation, seen);
    if (op === 'put' && operation.expected === undefined && !base.needsCreated(kind)) {
      writes.push(toWrite(operation, revision, revision));
      continue;
    }
    const found = base.find(kind, key);
    const current: Expected = found?.revision ?? 'absent';
    if (operation.expected !== undefined && operation.expected !== current)
      throw new ConflictError(index, operation, current);
    if (op === 'put') writes.push(toWrite(operation, revision, found?.createdRevision ?? revision));
    else if (op === 'delete' && found !== undefined) writes.push({ kind, key, stored: undefined, text: '' });
  }
  return writes;
}

function checkOperation({ kind, key }: KeyOperation, seen: Map<Kind, Set<string>>): void {
  checkKey(key);
  if (APPENDED.has(kind))
    throw new StoreError('invalid-operation', `${kind} is never written over and never deleted`);
  let keys = seen.get(kind);
  if (keys === undefined) {
    keys = new Set();
    seen.set(kind, keys);
  }
  const before = keys.size;
  if (keys.add(key).size === before)
    throw new StoreError('invalid-operation', `two operations on ${kind} ${key} in one transaction`);
}

function toWrite(
  operation: KeyOperation & { op: 'put' },
  revision: number,
  createdRevision: number,
): PlannedWrite {
  const { kind, key, value } = operation;
  const text = isObserved(kind) && isObject(value) ? '' : toText(operation);
  return { kind, key, stored: { key, value, revision, createdRevision }, text };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function toText(operation: KeyOperation & { op: 'put' }): string {
  try {
    const text: string | undefined = JSON.stringify(operation.value);
    if (text !== undefined) return text;
  } catch (cause) {
    throw new StoreError('invalid-operation', `${operation.kind} ${operation.key}: its value is not JSON`, {
      cause,
    });
  }
  throw new StoreError('invalid-operation', `${operation.kind} ${operation.key}: its value is not JSON`);
}
