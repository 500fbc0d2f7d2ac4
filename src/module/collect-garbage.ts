import { isHeld } from '../model/module-holds.ts';
import type { Clock, Log } from '../model/ports.ts';
import { toSizeText } from '../model/quantity-text.ts';
import type { Store } from '../store/store.ts';
import type { BlobCache } from './blob-cache.ts';
import { type CollectionFacts, planCollection } from './plan-collection.ts';
import { readModuleHolds } from './read-holds.ts';
import type { RegistryHoldings } from './registry-content.ts';
import { repeat } from './repeat.ts';

export interface CollectorOptions {
  readonly store: Store;
  readonly cache: BlobCache;
  /** What the built-in registry holds. */
  readonly registryHeld: () => Promise<RegistryHoldings>;
  readonly clock: Clock;
  readonly log: Log;
}

const INTERVAL_MS = 10 * 60_000;
/** What was set aside as damaged is kept for people for so long. */
const DAMAGED_MS = 7 * 86_400_000;
/** So much of the quota is made free at once, so that not every chunk of a download asks for more. */
const FREE_SHARE = 0.1;

/**
 * Deletes blobs that nobody needs: every ten minutes what is due, and whatever can be spared when a write finds no
 * room. The order of planCollection; a crash in between leaves blobs that the next run deletes. The answer ends it.
 */
export function keepCollected(options: CollectorOptions): () => Promise<void> {
  const { cache, clock, log } = options;
  cache.quota.onFull(async bytes => {
    await collectGarbage(options, Math.max(bytes, Math.floor(cache.quota.limitBytes * FREE_SHARE)));
    return describeUse(await readFacts(options, 0));
  });
  return repeat(
    { clock, log },
    INTERVAL_MS,
    'the module directory could not be cleaned; trying again',
    async () => {
      await collectGarbage(options, 0);
      await cache.clearDamaged(clock.now() - DAMAGED_MS);
    },
  );
}

/** Deletes what is due, and more until so many bytes are free; answers how many bytes went. */
export async function collectGarbage(options: CollectorOptions, neededBytes: number): Promise<number> {
  const { cache, log } = options;
  const plan = planCollection(await readFacts(options, neededBytes));
  let blobs = 0;
  let bytes = 0;
  for (const { sha256, sizeBytes, unusedSince } of plan) {
    if (!(await cache.remove(sha256, unusedSince))) continue;
    blobs++;
    bytes += sizeBytes;
  }
  if (blobs > 0) {
    const { usedBytes, limitBytes } = cache.quota;
    log.info({ blobs, bytes, usedBytes, limitBytes }, 'modules and layers that nobody needs were deleted');
  }
  return bytes;
}

async function readFacts(
  { store, cache, registryHeld, clock }: CollectorOptions,
  neededBytes: number,
): Promise<CollectionFacts> {
  // Before anything is read: what is used from now on is not judged by it.
  const now = clock.now();
  const [registry, holds] = await Promise.all([registryHeld(), readModuleHolds(store, now)]);
  return { blobs: cache.list(), holds, registry, now, neededBytes };
}

/** What a full directory is full of. */
function describeUse({ blobs, holds, registry }: CollectionFacts): string {
  const sizes = new Map<string, number>();
  for (const { sha256, sizeBytes } of blobs) {
    const of = isHeld(holds.get(sha256))
      ? 'modules of plugins'
      : registry.named.has(sha256)
        ? 'the built-in registry'
        : 'what was fetched within the hour';
    sizes.set(of, (sizes.get(of) ?? 0) + sizeBytes);
  }
  const parts = [...sizes]
    .sort(([, a], [, b]) => b - a)
    .map(([of, bytes]) => `${toSizeText(bytes)} for ${of}`);
  return parts.join(', ') || 'uploads to the built-in registry take the rest';
}
