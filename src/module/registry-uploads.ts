import { createReadStream } from 'node:fs';
import { appendFile, mkdir, open, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { RandomHex } from '../model/ports.ts';
import type { BlobCache, WrittenBlob } from './blob-cache.ts';
import { ModuleError } from './module-error.ts';

/** Uploads that may be open at once; the oldest gives way. */
const MAX_OPEN = 64;

/** Blob uploads that are under way: one file each below `<directory>/uploads`, gone after a restart. */
export class RegistryUploads {
  readonly #directory: string;
  readonly #cache: BlobCache;
  readonly #random: RandomHex;
  readonly #maxBytes: number;
  readonly #open = new Set<string>();
  #ready: Promise<unknown> | undefined;

  constructor(cache: BlobCache, random: RandomHex, maxBytes: number) {
    this.#directory = join(cache.directory, 'uploads');
    this.#cache = cache;
    this.#random = random;
    this.#maxBytes = maxBytes;
  }

  async start(): Promise<string> {
    this.#ready ??= this.#clear();
    await this.#ready;
    const [oldest] = this.#open;
    if (oldest !== undefined && this.#open.size >= MAX_OPEN) await this.cancel(oldest);
    const id = this.#random(16);
    await (await open(this.#path(id), 'wx', 0o600)).close();
    this.#open.add(id);
    return id;
  }

  has(id: string): boolean {
    return this.#open.has(id);
  }

  async sizeBytes(id: string): Promise<number> {
    return (await stat(this.#path(id))).size;
  }

  /** Appends a body; throws `too-big`, and then the upload is gone. */
  async append(id: string, body: Readable): Promise<number> {
    let sizeBytes = await this.sizeBytes(id);
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      sizeBytes += chunk.length;
      if (sizeBytes > this.#maxBytes) {
        await this.cancel(id);
        throw new ModuleError('too-big', `a blob has more than ${this.#maxBytes} bytes`);
      }
      await appendFile(this.#path(id), chunk);
    }
    return sizeBytes;
  }

  /** Moves what was uploaded into the cache; throws `wrong-digest`. The upload is gone either way. */
  async finish(id: string, sha256: string): Promise<WrittenBlob> {
    try {
      const bytes = createReadStream(this.#path(id));
      return await this.#cache.write(bytes, { maxBytes: this.#maxBytes, expected: sha256 });
    } finally {
      await this.cancel(id);
    }
  }

  async cancel(id: string): Promise<void> {
    this.#open.delete(id);
    await rm(this.#path(id), { force: true });
  }

  async #clear(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
  }

  #path(id: string): string {
    return join(this.#directory, id);
  }
}
