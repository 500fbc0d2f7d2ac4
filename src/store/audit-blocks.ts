import { setImmediate } from 'node:timers/promises';
import type { AuditEntry, AuditHead } from '../model/audit.ts';
import { CHAIN_START } from '../model/audit-chain.ts';
import { AUDIT_HEAD_KEY, auditKey } from './record-kinds.ts';
import type { Store } from './store.ts';

/*
 * The audit is kept whole, so nobody lists it: it is read by the thousand. A block is the entries whose keys have all
 * but their last digits in common.
 */

const BLOCK_DIGITS = 3;
/** Entries of a block; the first one has no entry 0. */
export const BLOCK_SIZE = 10 ** BLOCK_DIGITS;

/** The last entry; number 0: there is none yet. */
export async function readAuditHead(store: Store): Promise<AuditHead> {
  return (await store.get('AuditHead', AUDIT_HEAD_KEY))?.value ?? CHAIN_START;
}

/** Of a number: which block it is in. */
export function blockOf(number: number): number {
  return Math.floor(number / BLOCK_SIZE);
}

/** By number. Lets others have their turn first: whoever reads block after block is in no hurry. */
export async function readAuditBlock(store: Store, block: number): Promise<readonly AuditEntry[]> {
  await setImmediate();
  const { records } = await store.list('AuditEntry', auditKey(block * BLOCK_SIZE).slice(0, -BLOCK_DIGITS));
  return records.map(({ value }) => value);
}
