import { type AuditEntry, type AuditHead, hashEntry, NO_ENTRY_HASH } from './audit.ts';

/**
 * What is wrong with a chain.
 * - `changed`: the entry does not have the hash that it says
 * - `missing`: the entry with this number is not there
 * - `unlinked`: the entry does not name the hash of the one before it
 * - `cut`: entries after the last one are gone, or it is not the one that was last
 */
export type AuditFault = 'changed' | 'missing' | 'unlinked' | 'cut';

/** The first entry that is not as it was appended; `text` says what is wrong, in a sentence. */
export interface BrokenEntry {
  readonly number: number;
  readonly fault: AuditFault;
  readonly text: string;
}

/** What the next entry has to follow. */
export type ChainEnd = AuditHead;

export const CHAIN_START: ChainEnd = { number: 0, hash: NO_ENTRY_HASH };

/** Follows entries, in order, from `end` on. Answers the new end, or the first entry that is broken. */
export function followChain(end: ChainEnd, entries: Iterable<AuditEntry>): ChainEnd | BrokenEntry {
  let last = end;
  for (const entry of entries) {
    const broken = checkEntry(last, entry);
    if (broken !== undefined) return broken;
    last = { number: entry.number, hash: entry.hash };
  }
  return last;
}

/** Whether the chain ends where it is said to. */
export function checkEnd(end: ChainEnd, head: AuditHead): BrokenEntry | undefined {
  if (end.number < head.number) {
    const text = `entries ${end.number + 1} to ${head.number} are gone from the end`;
    return { number: end.number + 1, fault: 'cut', text };
  }
  if (end.number > head.number || end.hash !== head.hash) {
    const text = `the last entry is not the one that the store remembers (${head.number}, ${head.hash})`;
    return { number: end.number, fault: 'cut', text };
  }
  return undefined;
}

export function isBroken(outcome: ChainEnd | BrokenEntry): outcome is BrokenEntry {
  return 'fault' in outcome;
}

function checkEntry(last: ChainEnd, entry: AuditEntry): BrokenEntry | undefined {
  const number = last.number + 1;
  if (entry.number !== number)
    return {
      number,
      fault: 'missing',
      text: `entry ${number} is not there: ${entry.number} comes in its place`,
    };
  if (hashEntry(entry) !== entry.hash)
    return {
      number,
      fault: 'changed',
      text: `entry ${number} was changed: it does not have the hash that it says`,
    };
  if (entry.previous !== last.hash)
    return { number, fault: 'unlinked', text: `entry ${number} does not follow the entry before it` };
  return undefined;
}
