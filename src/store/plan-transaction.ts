import type { Engine, Write } from './engine.ts';
import { checkKey } from './key-order.ts';
import { APPENDED_KINDS } from './record-kinds.ts';
import type { Expected, KeyOperation, Operation } from './store.ts';
import { ConflictError, StoreError } from './store-error.ts';

/**
 * What a transaction would write at `revision`, as of what `read` shows now. Pure. Deleting what does not exist
 * writes nothing. Throws ConflictError for the first expectation that does not hold, and StoreError
 * `invalid-operation` for a key that two operations share or that is no key, and for what is only appended to.
 */
export function planTransaction(
  operations: readonly Operation[],
  read: Engine['read'],
  revision: number,
): readonly Write[] {
  const seen = new Set<string>();
  return operations.flatMap((operation, index): readonly Write[] => {
    // See append-audit.ts.
    if (operation.op === 'append') return [];
    const { kind, key } = operation;
    checkKey(key);
    if ((APPENDED_KINDS as readonly string[]).includes(kind))
      throw new StoreError('invalid-operation', `${kind} is never written over and never deleted`);
    if (seen.has(`${kind}\n${key}`))
      throw new StoreError('invalid-operation', `two operations on ${kind} ${key} in one transaction`);
    seen.add(`${kind}\n${key}`);
    const row = read(kind, key);
    const current: Expected = row?.revision ?? 'absent';
    if (operation.expected !== undefined && operation.expected !== current)
      throw new ConflictError(index, operation, current);
    switch (operation.op) {
      case 'check':
        return [];
      case 'delete':
        return row === undefined ? [] : [{ kind, key, row: undefined }];
      case 'put': {
        const text = toText(operation);
        return [
          { kind, key, row: { key, text, revision, createdRevision: row?.createdRevision ?? revision } },
        ];
      }
      default:
        return operation satisfies never;
    }
  });
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
