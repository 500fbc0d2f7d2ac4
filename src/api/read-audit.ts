import type { AuditEntry, AuditHead } from '../model/audit.ts';
import { type BrokenEntry, CHAIN_START, checkEnd, followChain, isBroken } from '../model/audit-chain.ts';
import { parseRolloutId } from '../model/rollout.ts';
import { blockOf, readAuditBlock, readAuditHead } from '../store/audit-blocks.ts';
import { auditKey } from '../store/record-kinds.ts';
import type { Store } from '../store/store.ts';

/** Which entries are wanted; absent: whatever they have. Times in ms. */
export interface AuditFilter {
  readonly since?: number;
  readonly until?: number;
  /** Who did it, or on whose behalf it was done. */
  readonly actor?: string;
  /** Also the rollouts of a plugin. */
  readonly subject?: string;
  /** What the action begins with, e.g. `rollout`. */
  readonly action?: string;
  readonly result?: string;
}

/** Newest first, before the entry with a number where one is given: the first `count` that the filter lets pass. */
export async function readNewest(
  store: Store,
  filter: AuditFilter,
  { before, count }: { readonly before: number | undefined; readonly count: number },
): Promise<readonly AuditEntry[]> {
  const last = Math.min((await readAuditHead(store)).number, (before ?? Number.POSITIVE_INFINITY) - 1);
  const found: AuditEntry[] = [];
  for (let block = blockOf(last); block >= 0 && found.length < count; block -= 1) {
    const entries = (await readAuditBlock(store, block)).filter(({ number }) => number <= last);
    found.push(...entries.filter(entry => matches(entry, filter)).reverse());
    if (isBefore(entries, filter.since)) break;
  }
  return found.slice(0, count);
}

/** All that the filter lets pass, oldest first, up to what was the newest when it began. */
export async function* readOldest(store: Store, filter: AuditFilter): AsyncGenerator<AuditEntry> {
  const { number: last } = await readAuditHead(store);
  for (let block = await findFirstBlock(store, last, filter.since); block <= blockOf(last); block += 1) {
    for (const entry of await readAuditBlock(store, block))
      if (entry.number <= last && matches(entry, filter)) yield entry;
  }
}

/** What became of checking the whole chain. */
export interface Verification {
  readonly head: AuditHead;
  readonly broken: BrokenEntry | undefined;
}

/**
 * Follows the chain from the first entry to the last. `known`: an entry that somebody kept the hash of, elsewhere: a
 * chain that was written anew from before it does not have it.
 */
export async function verifyAudit(store: Store, known: AuditHead | undefined): Promise<Verification> {
  const head = await readAuditHead(store);
  let end = CHAIN_START;
  for (let block = 0; block <= blockOf(head.number); block += 1) {
    const entries = (await readAuditBlock(store, block)).filter(({ number }) => number <= head.number);
    const next = followChain(end, entries);
    if (isBroken(next)) return { head, broken: next };
    const other = entries.find(({ number, hash }) => number === known?.number && hash !== known.hash);
    if (other !== undefined) return { head, broken: toRewritten(other.number) };
    end = next;
  }
  const broken = checkEnd(end, head) ?? (await findBeyond(store, head));
  if (broken === undefined && known !== undefined && known.number > head.number)
    return { head, broken: checkEnd(end, known) };
  return { head, broken };
}

function toRewritten(number: number): BrokenEntry {
  const text = `entry ${number} has another hash than the one that was kept: the audit was written anew`;
  return { number, fault: 'changed', text };
}

/** Entries that the store does not remember to have written; none comes in while this is read. */
async function findBeyond(store: Store, head: AuditHead): Promise<BrokenEntry | undefined> {
  const { records } = await store.list('AuditEntry', auditKey(head.number + 1));
  if (records.length === 0 || (await readAuditHead(store)).number > head.number) return undefined;
  const number = head.number + 1;
  return {
    number,
    fault: 'cut',
    text: `entry ${number} comes after the one that the store remembers as the last`,
  };
}

/** Where to begin: entries sort by number, and but for a clock that was set back, by time too. */
async function findFirstBlock(store: Store, last: number, since: number | undefined): Promise<number> {
  if (since === undefined) return 0;
  for (let block = blockOf(last); block > 0; block -= 1)
    if (isBefore(await readAuditBlock(store, block), since)) return block;
  return 0;
}

/** All of them, so that one clock that was wrong for a moment hides nothing. */
function isBefore(entries: readonly AuditEntry[], since: number | undefined): boolean {
  return since !== undefined && entries.length > 0 && entries.every(({ time }) => Date.parse(time) < since);
}

function matches(entry: AuditEntry, { since, until, actor, subject, action, result }: AuditFilter): boolean {
  const at = Date.parse(entry.time);
  if (since !== undefined && at < since) return false;
  if (until !== undefined && at >= until) return false;
  if (actor !== undefined && entry.actor !== actor && entry.behalf !== actor) return false;
  if (subject !== undefined && entry.subject !== subject && parseRolloutId(entry.subject)?.plugin !== subject)
    return false;
  if (action !== undefined && !entry.action.startsWith(action)) return false;
  return result === undefined || entry.result === result;
}
