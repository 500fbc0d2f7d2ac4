import type { AuditEntry } from '../model/audit.ts';
import type { Webhook } from '../model/webhook.ts';
import { BLOCK_SIZE, blockOf, readAuditBlock, readAuditHead } from '../store/audit-blocks.ts';
import type { Store } from '../store/store.ts';
import { findEvent } from './to-message.ts';

/** The next entry that a webhook is told of, or that there is none up to and with number `until`. */
export type Next = { readonly entry: AuditEntry } | { readonly entry: undefined; readonly until: number };

/** Looks from behind `position` on, to the end of the block at most. */
export async function findNext(store: Store, webhook: Webhook, position: number): Promise<Next> {
  const { number: last } = await readAuditHead(store);
  if (position >= last) return { entry: undefined, until: position };
  const block = await readAuditBlock(store, blockOf(position + 1));
  const following = block.filter(({ number }) => number > position);
  const entry = following.find(one => findEvent(one, webhook) !== undefined);
  // A block with nothing in it is one that somebody emptied: nothing will ever come there.
  const until = following.at(-1)?.number ?? Math.min(last, (blockOf(position + 1) + 1) * BLOCK_SIZE - 1);
  return entry === undefined ? { entry, until } : { entry };
}

/** Number of the last entry that was there when the store was at a revision: what came later is news to a new webhook. */
export async function findPosition(store: Store, revision: number): Promise<number> {
  const { number: last } = await readAuditHead(store);
  for (let block = blockOf(last); block >= 0; block -= 1) {
    const entry = (await readAuditBlock(store, block)).findLast(one => one.revision <= revision);
    if (entry !== undefined) return entry.number;
  }
  return 0;
}
