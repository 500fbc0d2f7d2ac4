import { type FileHandle, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobCache, BlobCacheOptions, CachedBlob, OpenBlob } from './blob-cache.ts';
import {
  type FileState,
  guard,
  hashFile,
  isFileAt,
  moveIfThere,
  openIfThere,
  readState,
  readWhole,
  tooBig,
  type WriteBlobOptions,
  type WrittenBlob,
  writeHashed,
} from './blob-file.ts';
import { DiskQuota } from './disk-quota.ts';
import { moveDurably } from './durable-file.ts';

const DAMAGED = '.damaged';

interface Entry {
  readonly sizeBytes: number;
  usedAt: number;
  verifiedAt: number;
  /** State of the file that `sound` is about. */
  mark: string | undefined;
  /** That it hashes to its name, or is being hashed. */
  sound: Promise<boolean>;
  /** It is being set aside, and told. */
  isDamaged: boolean;
}

export function isSha256(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name);
}

const UNKNOWN = Promise.resolve(false);

/** Blobs as files named by their digest; what they are is in blob-cache.ts. */
export class FileBlobCache implements BlobCache {
  readonly directory: string;
  readonly quota: DiskQuota;
  readonly #blobs: string;
  readonly #options: BlobCacheOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #removing = new Map<string, Promise<void>>();
  readonly #jobs = new Map<string, Promise<unknown>>();
  readonly #listeners: ((sha256: string) => void)[] = [];

  constructor(options: BlobCacheOptions, blobs: string) {
    this.directory = options.directory;
    this.quota = new DiskQuota(options.quotaBytes);
    this.#blobs = blobs;
    this.#options = options;
  }

  /** A file that is there, whoever wrote it. */
  know(sha256: string, { size, mtimeMs }: { readonly size: number; readonly mtimeMs: number }): Entry {
    const entry = {
      sizeBytes: size,
      usedAt: mtimeMs,
      verifiedAt: 0,
      mark: undefined,
      sound: UNKNOWN,
      isDamaged: false,
    };
    this.#entries.set(sha256, entry);
    this.quota.count(size);
    return entry;
  }

  async open(sha256: string): Promise<OpenBlob | undefined> {
    if (!isSha256(sha256)) return undefined;
    this.#use(sha256);
    // What is being deleted must not be found and then be gone.
    await this.#removing.get(sha256);
    return this.#open(sha256);
  }

  async read(sha256: string, maxBytes: number): Promise<Buffer | undefined> {
    const blob = await this.open(sha256);
    if (blob === undefined) return undefined;
    try {
      if (blob.sizeBytes > maxBytes) throw tooBig(sha256, maxBytes);
      return await guard('read', sha256, () => readWhole(blob.file, blob.sizeBytes));
    } finally {
      await blob.file.close();
    }
  }

  async has(sha256: string): Promise<boolean> {
    const blob = await this.open(sha256);
    await blob?.file.close();
    return blob !== undefined;
  }

  async write(
    bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    options: WriteBlobOptions,
  ): Promise<WrittenBlob> {
    const temporary = join(this.#blobs, `${this.#options.random(8)}.tmp`);
    try {
      const written = await writeHashed(temporary, bytes, options, this.quota);
      try {
        if (!(await this.has(written.sha256))) await this.#take(temporary, written);
      } finally {
        // What stays was counted as the blob; a second copy goes.
        this.quota.give(written.sizeBytes);
      }
      return written;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  once<T>(sha256: string, job: () => Promise<T>): Promise<T> {
    const running = this.#jobs.get(sha256) as Promise<T> | undefined;
    if (running !== undefined) return running;
    const started = job().finally(() => this.#jobs.delete(sha256));
    this.#jobs.set(sha256, started);
    return started;
  }

  list(): readonly CachedBlob[] {
    return [...this.#entries].map(([sha256, { sizeBytes, usedAt, verifiedAt }]) => ({
      sha256,
      sizeBytes,
      usedAt,
      verifiedAt,
    }));
  }

  async remove(sha256: string, unusedSince: number): Promise<boolean> {
    const entry = this.#entries.get(sha256);
    if (entry === undefined || entry.usedAt > unusedSince || this.#removing.has(sha256)) return false;
    const removing = rm(this.#path(sha256), { force: true });
    this.#removing.set(
      sha256,
      removing.catch(() => {}),
    );
    try {
      await guard('deleted', sha256, () => removing);
      this.#forget(sha256);
      return true;
    } finally {
      this.#removing.delete(sha256);
    }
  }

  async verify(sha256: string): Promise<boolean> {
    const entry = this.#entries.get(sha256);
    if (entry !== undefined) entry.mark = undefined;
    await this.#removing.get(sha256);
    const blob = await this.#open(sha256);
    await blob?.file.close();
    return blob !== undefined;
  }

  onLost(listener: (sha256: string) => void): void {
    this.#listeners.push(listener);
  }

  async clearDamaged(before: number): Promise<void> {
    await guard('cleared', this.directory, async () => {
      for (const name of await readdir(this.#blobs)) {
        const path = join(this.#blobs, name);
        if (name.endsWith(DAMAGED) && (await stat(path)).ctimeMs < before) await rm(path, { force: true });
      }
    });
  }

  #open(sha256: string): Promise<OpenBlob | undefined> {
    return guard('read', sha256, async () => {
      const file = await openIfThere(this.#path(sha256));
      if (file === undefined) {
        const isNews = this.#entries.get(sha256)?.isDamaged !== true;
        if (this.#forget(sha256) && isNews) this.#tellLost(sha256, 'is gone');
        return undefined;
      }
      try {
        const state = await readState(file);
        if (await this.#isSound(sha256, file, state)) return { sizeBytes: state.size, file };
      } catch (error) {
        await file.close();
        throw error;
      }
      await file.close();
      return undefined;
    });
  }

  /** Hashed where it was not yet, or its file changed since. */
  async #isSound(sha256: string, file: FileHandle, { mark, ...found }: FileState): Promise<boolean> {
    // Another reader may have set it aside since it was opened.
    if (!this.#entries.has(sha256) && !(await isFileAt(this.#path(sha256), file))) return false;
    const entry = this.#entries.get(sha256) ?? this.know(sha256, found);
    if (entry.mark !== mark) {
      entry.mark = mark;
      entry.sound = this.#hash(sha256, entry, file);
    }
    return entry.sound;
  }

  async #hash(sha256: string, entry: Entry, file: FileHandle): Promise<boolean> {
    try {
      if ((await hashFile(file)) === sha256) {
        entry.verifiedAt = this.#options.clock.now();
        return true;
      }
    } catch (error) {
      // A fault of the disk says nothing about the blob: the next reader hashes again.
      entry.mark = undefined;
      throw error;
    }
    if (this.#entries.get(sha256) !== entry || entry.isDamaged) return false;
    entry.isDamaged = true;
    await this.#setAside(sha256, file);
    if (this.#entries.get(sha256) === entry) this.#forget(sha256);
    return false;
  }

  /**
   * A damaged blob is kept for people under a name that nothing serves; a fetch may then bring it anew. Of all who read
   * it one moves and tells it, and none moves what came in its place.
   */
  async #setAside(sha256: string, file: FileHandle): Promise<void> {
    const path = this.#path(sha256);
    if (!(await isFileAt(path, file)) || !(await moveIfThere(path, `${path}${DAMAGED}`))) return;
    this.#tellLost(sha256, 'is damaged and set aside');
  }

  /** A whole, synced file of our own becomes the blob. */
  async #take(temporary: string, { sha256, sizeBytes }: WrittenBlob): Promise<void> {
    const path = this.#path(sha256);
    await guard('written', sha256, () => moveDurably(temporary, path));
    const file = await guard('read', sha256, () => openIfThere(path));
    if (file === undefined) return;
    const now = this.#options.clock.now();
    const { mark } = await readState(file).finally(() => file.close());
    // Somebody who wrote the same bytes meanwhile has counted them.
    this.#forget(sha256);
    const entry = this.know(sha256, { size: sizeBytes, mtimeMs: now });
    Object.assign(entry, { verifiedAt: now, mark, sound: Promise.resolve(true) });
  }

  #use(sha256: string): void {
    const entry = this.#entries.get(sha256);
    if (entry !== undefined) entry.usedAt = Math.max(entry.usedAt, this.#options.clock.now());
  }

  #forget(sha256: string): boolean {
    const entry = this.#entries.get(sha256);
    if (entry === undefined) return false;
    this.quota.give(entry.sizeBytes);
    return this.#entries.delete(sha256);
  }

  #tellLost(sha256: string, what: string): void {
    this.#options.log.error({ sha256 }, `a blob in the module directory ${what}`);
    for (const listener of this.#listeners) listener(sha256);
  }

  #path(sha256: string): string {
    return join(this.#blobs, sha256);
  }
}
