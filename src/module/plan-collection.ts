import { isHeld, type ModuleHold } from '../model/module-holds.ts';
import type { CachedBlob } from './blob-cache.ts';
import type { RegistryHoldings } from './registry-content.ts';

/** What nobody needs is kept for so long after its last use: it may be wanted again. */
export const GRACE_MS = 24 * 3_600_000;
/**
 * What was used within this time is never deleted, whatever room is needed: a plugin that is being checked uses its
 * module before any record names it, and is through long before.
 */
export const BUSY_MS = 3_600_000;

export interface CollectionFacts {
  readonly blobs: readonly CachedBlob[];
  /** By hex sha256: revisions. */
  readonly holds: ReadonlyMap<string, readonly ModuleHold[]>;
  readonly registry: RegistryHoldings;
  /** When the facts were read. */
  readonly now: number;
  /** So much has to go; 0: only what is due. */
  readonly neededBytes: number;
}

/** A blob to delete, unless it was used after that time. */
export interface Deletion {
  readonly sha256: string;
  readonly sizeBytes: number;
  readonly unusedSince: number;
}

/**
 * What to delete, in this order: what nobody needs and nobody used for a day; and where more room is needed what nobody
 * needs, then what only old revisions and no manifest of the registry names, least recently used first, until it is
 * enough. What is held, what a manifest of the registry names and what was used within the hour never; and while a
 * manifest cannot be read, nothing before room is needed.
 */
export function planCollection(facts: CollectionFacts): readonly Deletion[] {
  const { blobs, holds, registry, now } = facts;
  const free = blobs
    .filter(({ sha256 }) => !registry.named.has(sha256) && !isHeld(holds.get(sha256)))
    .toSorted((a, b) => a.usedAt - b.usedAt);
  const isSpare = ({ sha256 }: CachedBlob): boolean =>
    holds.has(sha256) || registry.loose.has(sha256) || !registry.isWhole;
  const plan: Deletion[] = [];
  let bytes = 0;
  const add = ({ sha256, sizeBytes, usedAt }: CachedBlob, unusedSince: number): void => {
    if (usedAt > unusedSince) return;
    plan.push({ sha256, sizeBytes, unusedSince });
    bytes += sizeBytes;
  };
  for (const blob of free.filter(one => !isSpare(one)))
    add(blob, bytes < facts.neededBytes ? now - BUSY_MS : now - GRACE_MS);
  for (const blob of free.filter(isSpare)) if (bytes < facts.neededBytes) add(blob, now - BUSY_MS);
  return plan;
}
