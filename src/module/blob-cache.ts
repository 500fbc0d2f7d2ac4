import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toMessage } from '../model/error.ts';
import type { Log, RandomHex } from '../model/ports.ts';
import { moveDurably } from './durable-file.ts';
import { ModuleError } from './module-error.ts';

/** A blob that hashed to its name when this process first read it. Close it. */
export interface OpenBlob {
  readonly sizeBytes: number;
  readonly file: FileHandle;
}

/** What was written: lower-case hex of its sha256, and its size. */
export interface WrittenBlob {
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface WriteBlobOptions {
  /** More is an error: `too-big`. */
  readonly maxBytes: number;
  /** Hex sha256 that the bytes must have, else `wrong-digest` and nothing is kept. */
  readonly expected?: string;
}

/**
 * Bytes by sha256, durable: an OCI image layout (https://github.com/opencontainers/image-spec/blob/main/image-layout.md),
 * one copy a digest whatever it came from. Digests are lower-case hex. Faults of the disk are ModuleError `cache-failed`.
 */
export interface BlobCache {
  /** The layout's root. */
  readonly directory: string;
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
}

const HEX64 = /^[0-9a-f]{64}$/;

/** Makes the directory where it does not exist, and clears away what an interrupted write left. */
export async function openBlobCache(options: {
  readonly directory: string;
  readonly random: RandomHex;
  readonly log: Log;
}): Promise<BlobCache> {
  const blobs = join(options.directory, 'blobs', 'sha256');
  await guard('made', options.directory, async () => {
    await mkdir(blobs, { recursive: true, mode: 0o700 });
    await writeFile(join(options.directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
    const left = (await readdir(blobs)).filter(name => name.endsWith('.tmp'));
    for (const name of left) await rm(join(blobs, name), { force: true });
  });
  return new FileBlobCache(options.directory, blobs, options.random, options.log);
}

class FileBlobCache implements BlobCache {
  readonly directory: string;
  readonly #blobs: string;
  readonly #random: RandomHex;
  readonly #log: Log;
  /** Digests that were hashed, or are being hashed, in this process. */
  readonly #sound = new Map<string, Promise<boolean>>();
  readonly #jobs = new Map<string, Promise<unknown>>();

  constructor(directory: string, blobs: string, random: RandomHex, log: Log) {
    this.directory = directory;
    this.#blobs = blobs;
    this.#random = random;
    this.#log = log;
  }

  async open(sha256: string): Promise<OpenBlob | undefined> {
    if (!HEX64.test(sha256)) return undefined;
    return guard('read', sha256, async () => {
      const file = await openIfThere(this.#path(sha256));
      if (file === undefined) {
        this.#sound.delete(sha256);
        return undefined;
      }
      try {
        if (await this.#isSound(sha256, file)) return { sizeBytes: (await file.stat()).size, file };
      } catch (error) {
        await file.close();
        throw error;
      }
      await file.close();
      return undefined;
    });
  }

  async read(sha256: string, maxBytes: number): Promise<Buffer | undefined> {
    const blob = await this.open(sha256);
    if (blob === undefined) return undefined;
    try {
      if (blob.sizeBytes > maxBytes) throw tooBig(sha256, maxBytes);
      return await guard('read', sha256, () => blob.file.readFile());
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
    const temporary = join(this.#blobs, `${this.#random(8)}.tmp`);
    try {
      const written = await writeHashed(temporary, bytes, options);
      if (!(await this.has(written.sha256)))
        await guard('written', written.sha256, () => moveDurably(temporary, this.#path(written.sha256)));
      this.#sound.set(written.sha256, Promise.resolve(true));
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

  async #isSound(sha256: string, file: FileHandle): Promise<boolean> {
    const known = this.#sound.get(sha256);
    if (known !== undefined) return known;
    const hashing = hashFile(file).then(found => found === sha256);
    this.#sound.set(sha256, hashing);
    // A fault of the disk says nothing about the blob: the next reader hashes again.
    hashing.catch(() => this.#sound.delete(sha256));
    const sound = await hashing;
    if (!sound) await this.#setAside(sha256);
    return sound;
  }

  /** A damaged blob is kept for people under a name that nothing serves; a fetch may then bring it anew. */
  async #setAside(sha256: string): Promise<void> {
    this.#log.error({ sha256 }, 'a blob in the module cache is damaged: set aside, to be fetched again');
    await rename(this.#path(sha256), `${this.#path(sha256)}.damaged`);
    this.#sound.delete(sha256);
  }

  #path(sha256: string): string {
    return join(this.#blobs, sha256);
  }
}

async function writeHashed(
  path: string,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: WriteBlobOptions,
): Promise<WrittenBlob> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const file = await guard('written', path, () => open(path, 'wx', 0o444));
  try {
    for await (const chunk of bytes) {
      sizeBytes += chunk.length;
      if (sizeBytes > options.maxBytes) throw tooBig(options.expected, options.maxBytes);
      hash.update(chunk);
      await guard('written', path, () => file.writeFile(chunk));
    }
    await guard('written', path, () => file.sync());
  } finally {
    await file.close();
  }
  const sha256 = hash.digest('hex');
  if (options.expected !== undefined && options.expected !== sha256)
    throw new ModuleError('wrong-digest', `expected sha256:${options.expected}, received sha256:${sha256}`, {
      hint: 'The source sent other bytes than it promised: push the artifact again, or correct the digest.',
    });
  return { sha256, sizeBytes };
}

async function hashFile(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 18);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function tooBig(name: string | undefined, maxBytes: number): ModuleError {
  return new ModuleError('too-big', `${name ?? 'a blob'} has more than ${maxBytes} bytes`, {
    hint: 'Push a smaller artifact.',
  });
}

/** Wraps a fault of the file system once, where it enters. */
async function guard<T>(verb: string, what: string, job: () => Promise<T>): Promise<T> {
  try {
    return await job();
  } catch (cause) {
    if (cause instanceof ModuleError) throw cause;
    throw new ModuleError('cache-failed', `module cache: ${what} could not be ${verb}: ${toMessage(cause)}`, {
      cause,
      hint: 'Check space and permissions of the data directory.',
    });
  }
}
