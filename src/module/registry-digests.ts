import { createHash } from 'node:crypto';
import { mkdir, readlink, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { toMessage } from '../model/error.ts';
import type { BlobCache, WrittenBlob } from './blob-cache.ts';
import { syncDirectory } from './durable-file.ts';
import { ModuleError } from './module-error.ts';
import { isDigest, wrongDigest } from './verify-digest.ts';

/**
 * The blob cache by digests of any algorithm: it knows sha256 alone, so `blobs/sha512/<hex>` is a link to
 * `../sha256/<hex>`, made once the bytes were hashed both ways. That is where an OCI image layout has such a blob. Backups
 * hold these links as a list (src/backup/sha512-links.ts).
 */
export class RegistryDigests {
  readonly #cache: BlobCache;
  readonly #directory: string;

  constructor(cache: BlobCache) {
    this.#cache = cache;
    this.#directory = join(cache.directory, 'blobs', 'sha512');
  }

  /** The hex sha256 of what the digest names; undefined: nothing of that name was ever written. */
  async find(digest: string): Promise<string | undefined> {
    if (!isDigest(digest)) return undefined;
    const [algorithm, hex = ''] = digest.split(':');
    if (algorithm === 'sha256') return hex;
    try {
      return basename(await readlink(join(this.#directory, hex)));
    } catch (error) {
      if (isCode(error, 'ENOENT')) return undefined;
      throw failed(digest, error);
    }
  }

  /** Whether its bytes are here and sound. */
  async has(digest: string): Promise<boolean> {
    const sha256 = await this.find(digest);
    return sha256 !== undefined && this.#cache.has(sha256);
  }

  /** Durable when it resolves; throws `wrong-digest`, and then nothing is kept, and `too-big`. */
  async write(
    bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
    digest: string,
    maxBytes: number,
  ): Promise<WrittenBlob> {
    const [algorithm, hex = ''] = digest.split(':');
    if (algorithm === 'sha256') return this.#cache.write(bytes, { maxBytes, expected: hex });
    const written = await this.#cache.write(hashed(bytes, digest), { maxBytes });
    await this.#link(hex, written.sha256);
    return written;
  }

  async #link(sha512: string, sha256: string): Promise<void> {
    try {
      await mkdir(this.#directory, { recursive: true, mode: 0o700 });
      await symlink(join('..', 'sha256', sha256), join(this.#directory, sha512));
      await syncDirectory(this.#directory);
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw failed(`sha512:${sha512}`, error);
    }
  }
}

/** Passes bytes on; instead of ending it throws where they were other than named. */
async function* hashed(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  digest: string,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha512');
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
  const found = `sha512:${hash.digest('hex')}`;
  if (found !== digest) throw wrongDigest('the upload', digest, found);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function failed(digest: string, cause: unknown): ModuleError {
  return new ModuleError(
    'cache-failed',
    `${digest} could not be found or named in the cache: ${toMessage(cause)}`,
    {
      cause,
      hint: 'Check space and permissions of the data directory.',
    },
  );
}
