import type { Clock, Log } from '../model/ports.ts';
import type { BlobCache, CachedBlob } from './blob-cache.ts';
import { repeat } from './repeat.ts';

const INTERVAL_MS = 60_000;
/** Every blob is hashed again once in so long. */
const SCRUB_MS = 24 * 3_600_000;
/** Hashed a minute: about 4 MB/s, so that nobody feels it. */
const SCRUB_BYTES = 256_000_000;

/**
 * Hashes all blobs again, slowly and in turn: a disk can forget what nobody reads. What is damaged is set aside and
 * told to `onLost` of the cache. The answer ends it.
 */
export function keepScrubbed(cache: BlobCache, clock: Clock, log: Log): () => Promise<void> {
  let stopped = false;
  const stop = repeat({ clock, log }, INTERVAL_MS, 'a blob could not be read; trying again', async () => {
    for (const { sha256 } of planScrub(cache.list(), clock.now())) if (!stopped) await cache.verify(sha256);
  });
  return () => {
    stopped = true;
    return stop();
  };
}

/** Those that are due, the longest not looked at first, up to what a minute may take; one at least. */
export function planScrub(blobs: readonly CachedBlob[], now: number): readonly CachedBlob[] {
  const due = blobs
    .filter(({ verifiedAt }) => verifiedAt <= now - SCRUB_MS)
    .toSorted((a, b) => a.verifiedAt - b.verifiedAt);
  let bytes = 0;
  return due.filter(({ sizeBytes }, index) => {
    bytes += sizeBytes;
    return index === 0 || bytes <= SCRUB_BYTES;
  });
}
