import { checkKey } from './key-order.ts';
import { APPENDED_KINDS, isObserved, type Kind } from './record-kinds.ts';
import type { SegmentEntry } from './segment.ts';
import type { ObservedRecord } from './segment-log.ts';
import type { Expected, KeyOperation, Operation, Stored } from './store.ts';
import { ConflictError, StoreError } from './store-error.ts';

/** What the transaction is planned on. */
export interface TransactionBase {
  /** What is there now. Not of the observed kinds. */
  find(kind: Kind, key: string): Pick<Stored<unknown>, 'revision' | 'createdRevision'> | undefined;
  /** Of the observed kinds: the record that is there, or one that can be. */
  observe(kind: Kind, key: string): ObservedRecord;
  /**
   * Whether a write of this kind must say when its record was created. Where it need not, a put that expects nothing is
   * planned without a look at what is there, as if it were new: the engine keeps what it knows.
   */
  needsCreated(kind: Kind): boolean;
}

/** A Change as well: a fleet that answers has thousands of them. */
export interface PlannedWrite extends SegmentEntry {
  readonly initial: false;
  /** Of the observed kinds. */
  readonly record: ObservedRecord | undefined;
  /** JSON of its value; empty where the record goes, and of the observed kinds: segments have their texts together. */
  readonly text: string;
}

const APPENDED: ReadonlySet<Kind> = new Set(APPENDED_KINDS);

/**
 * What a transaction would write at `revision`. It notes `round`, of no other plan, in the records of observed kinds that it
 * writes, and changes nothing else. Deleting what does not exist writes nothing. Throws ConflictError
 * for the first expectation that does not hold, and StoreError `invalid-operation` for a key that two operations share
 * or that is no key, for what is only appended to, and for a value that is not JSON.
 */
export function planTransaction(
  operations: readonly Operation[],
  base: TransactionBase,
  revision: number,
  round: number,
): readonly PlannedWrite[] {
  const seen = new Map<Kind, Set<string>>();
  const writes: PlannedWrite[] = [];
  const unwritten: ObservedRecord[] = [];
  let index = -1;
  for (const operation of operations) {
    index += 1;
    // See append-audit.ts.
    if (operation.op === 'append') continue;
    const { op, kind, key } = operation;
    checkKey(key);
    if (APPENDED.has(kind))
      throw new StoreError('invalid-operation', `${kind} is never written over and never deleted`);
    const record = isObserved(kind) ? base.observe(kind, key) : undefined;
    if (record?.stored === undefined ? !addTo(seen, kind, key) : record.round === round)
      throw new StoreError('invalid-operation', `two operations on ${kind} ${key} in one transaction`);
    if (record !== undefined) record.round = round;
    if (op === 'put' && operation.expected === undefined && !base.needsCreated(kind)) {
      writes.push(toWrite(operation, revision, revision, record));
      continue;
    }
    const found = record === undefined ? base.find(kind, key) : record.stored;
    const current: Expected = found?.revision ?? 'absent';
    if (operation.expected !== undefined && operation.expected !== current)
      throw new ConflictError(index, operation, current);
    if (op === 'put') writes.push(toWrite(operation, revision, found?.createdRevision ?? revision, record));
    else if (op === 'delete' && found !== undefined)
      writes.push({ kind, key, initial: false, stored: undefined, text: '', record });
    else if (record !== undefined) unwritten.push(record);
  }
  // What is only looked at is not in the plan: a segment that goes takes nothing of it along.
  for (const record of unwritten) record.round = 0;
  return writes;
}

/** False: it is in it. */
function addTo(seen: Map<Kind, Set<string>>, kind: Kind, key: string): boolean {
  let keys = seen.get(kind);
  if (keys === undefined) {
    keys = new Set();
    seen.set(kind, keys);
  }
  const before = keys.size;
  return keys.add(key).size > before;
}

function toWrite(
  operation: KeyOperation & { op: 'put' },
  revision: number,
  createdRevision: number,
  record: ObservedRecord | undefined,
): PlannedWrite {
  const { kind, key, value } = operation;
  const text = record !== undefined && isObject(value) ? '' : toText(operation);
  return { kind, key, initial: false, stored: { key, value, revision, createdRevision }, text, record };
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
