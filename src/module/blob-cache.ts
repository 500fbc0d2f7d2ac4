import { type FileHandle, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, Log, RandomHex } from '../model/ports.ts';
import { guard, type WriteBlobOptions, type WrittenBlob } from './blob-file.ts';
import type { DiskQuota } from './disk-quota.ts';
import { FileBlobCache, isSha256 } from './file-blob-cache.ts';

export type { WriteBlobOptions, WrittenBlob } from './blob-file.ts';

/** A blob that hashed to its name since its file was last changed. Close it. */
export interface OpenBlob {
  readonly sizeBytes: number;
  readonly file: FileHandle;
}

/** A blob as a table of contents has it. */
export interface CachedBlob {
  readonly sha256: string;
  readonly sizeBytes: number;
  /** When it was last written, opened or asked for, ms; before a restart only writing counts. */
  readonly usedAt: number;
  /** When it last hashed to its name, ms; 0: not since the start. */
  readonly verifiedAt: number;
}

/**
 * Bytes by sha256, durable: an OCI image layout (https://github.com/opencontainers/image-spec/blob/main/image-layout.md),
 * one copy a digest whatever it came from. Digests are lower-case hex. Faults of the disk are ModuleError `cache-failed`,
 * no room is `cache-full`.
 */
export interface BlobCache {
  /** The layout's root. */
  readonly directory: string;
  readonly quota: DiskQuota;
  /** Opens before it answers, so that nothing can cut a reader off. Undefined: not here, or not sound. */
  open(sha256: string): Promise<OpenBlob | undefined>;
  /** The whole blob; undefined: not here or not sound. Throws `too-big`. */
  read(sha256: string, maxBytes: number): Promise<Buffer | undefined>;
  has(sha256: string): Promise<boolean>;
  /** Durable when it resolves; a blob that is there already is not written again. */
  write(
    bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: WriteBlobOptions,
  ): Promise<WrittenBlob>;
  /** Runs the job unless one for this digest is under way: then both get that one's outcome. */
  once<T>(sha256: string, job: () => Promise<T>): Promise<T>;
  list(): readonly CachedBlob[];
  /** Deletes it unless it was used after that time; whoever has it open reads on. False: it stayed, or was not here. */
  remove(sha256: string, unusedSince: number): Promise<boolean>;
  /** Hashes it whether or not its file changed, without using it. False: it is not here any more. */
  verify(sha256: string): Promise<boolean>;
  /** Told of each blob that was here and turns out to be damaged or gone. */
  onLost(listener: (sha256: string) => void): void;
  /** Deletes what was set aside before that time. */
  clearDamaged(before: number): Promise<void>;
}

export interface BlobCacheOptions {
  readonly directory: string;
  /** Of all that is kept below the directory; what is there already stays. */
  readonly quotaBytes: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly random: RandomHex;
  readonly log: Log;
}

/** Makes the directory where it does not exist, and clears away what an interrupted write left. */
export async function openBlobCache(options: BlobCacheOptions): Promise<BlobCache> {
  const blobs = join(options.directory, 'blobs', 'sha256');
  const cache = new FileBlobCache(options, blobs);
  await guard('made', options.directory, async () => {
    await mkdir(blobs, { recursive: true, mode: 0o700 });
    await writeFile(join(options.directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    for (const name of await readdir(blobs)) {
      if (name.endsWith('.tmp')) await rm(join(blobs, name), { force: true });
      else if (isSha256(name)) cache.know(name, await stat(join(blobs, name)));
    }
  });
  return cache;
}
