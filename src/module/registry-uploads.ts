import { createReadStream } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock, RandomHex } from '../model/ports.ts';
import type { DiskQuota } from './disk-quota.ts';
import { ModuleError } from './module-error.ts';
import { RegistryRefusal } from './registry-refusal.ts';

/** Uploads that may be open at once; the one that was left alone longest gives way. */
const MAX_OPEN = 64;
/** An upload that nobody went on with for so long is given up when the next one starts. */
export const IDLE_MS = 3_600_000;

/** A blob that comes in parts; it belongs to one repository. */
export interface Upload {
  readonly id: string;
  readonly repository: string;
  /** Received and on disk. */
  readonly sizeBytes: number;
}

interface OpenUpload extends Upload {
  sizeBytes: number;
  /** Of the quota: no less than is on disk. */
  takenBytes: number;
  /** A request writes it now. */
  busy: boolean;
  /** ms */
  touchedAt: number;
}

/** Blob uploads that are under way: one file each below `<directory>/uploads`, gone after a restart. */
export class RegistryUploads {
  readonly #directory: string;
  readonly #quota: DiskQuota;
  readonly #random: RandomHex;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #maxBytes: number;
  /** The one that was left alone longest is first. */
  readonly #open = new Map<string, OpenUpload>();
  #ready: Promise<unknown> | undefined;

  constructor(
    directory: string,
    quota: DiskQuota,
    random: RandomHex,
    clock: Pick<Clock, 'now'>,
    maxBytes: number,
  ) {
    this.#directory = join(directory, 'uploads');
    this.#quota = quota;
    this.#random = random;
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  async start(repository: string): Promise<Upload> {
    this.#ready ??= this.#clear();
    await this.#ready;
    await this.#makeRoom();
    const upload: OpenUpload = {
      id: this.#random(16),
      repository,
      sizeBytes: 0,
      takenBytes: 0,
      busy: false,
      touchedAt: this.#clock.now(),
    };
    this.#open.set(upload.id, upload);
    await (await open(this.#path(upload), 'wx', 0o600)).close();
    return upload;
  }

  find(repository: string, id: string): Upload | undefined {
    const upload = this.#open.get(id);
    return upload?.repository === repository ? upload : undefined;
  }

  /** Appends what comes, up to where it breaks off; throws `too-big`, and then the upload is gone. */
  append({ id }: Upload, chunks: AsyncIterable<Uint8Array>): Promise<number> {
    return this.#alone(id, async upload => {
      await this.#write(upload, chunks);
      return upload.sizeBytes;
    });
  }

  /** Hands all bytes to `take`, what was uploaded and then `last`. The upload is gone then, unless `last` breaks off. */
  async finish<T>(
    { id }: Upload,
    last: AsyncIterable<Uint8Array>,
    take: (bytes: AsyncIterable<Uint8Array>) => Promise<T>,
  ): Promise<T> {
    try {
      const taken = await this.#alone(id, async upload => {
        // What comes in one piece goes straight to where it stays.
        if (upload.sizeBytes === 0) return take(last);
        await this.#write(upload, last);
        return take(createReadStream(this.#path(upload)));
      });
      await this.cancel(id);
      return taken;
    } catch (error) {
      if (error instanceof ModuleError) await this.cancel(id);
      throw error;
    }
  }

  async cancel(id: string): Promise<void> {
    const upload = this.#open.get(id);
    if (upload === undefined) return;
    this.#open.delete(id);
    await rm(this.#path(upload), { force: true });
    this.#quota.give(upload.takenBytes);
    upload.takenBytes = 0;
  }

  async #write(upload: OpenUpload, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const file = await open(this.#path(upload), 'a', 0o600);
    try {
      for await (const chunk of chunks) {
        if (upload.sizeBytes + chunk.length > this.#maxBytes) {
          await this.cancel(upload.id);
          throw new ModuleError('too-big', `a blob has more than ${this.#maxBytes} bytes`);
        }
        await this.#quota.take(chunk.length);
        upload.takenBytes += chunk.length;
        await file.writeFile(chunk);
        upload.sizeBytes += chunk.length;
      }
    } finally {
      await file.close();
    }
  }

  /** Two requests at once would mix their bytes. */
  async #alone<T>(id: string, job: (upload: OpenUpload) => Promise<T>): Promise<T> {
    const upload = this.#open.get(id);
    if (upload === undefined) throw uploadUnknown();
    if (upload.busy)
      throw new RegistryRefusal(400, 'BLOB_UPLOAD_INVALID', 'another request is writing this upload');
    upload.busy = true;
    try {
      return await job(upload);
    } finally {
      upload.busy = false;
      upload.touchedAt = this.#clock.now();
      if (this.#open.delete(id)) this.#open.set(id, upload);
    }
  }

  async #makeRoom(): Promise<void> {
    const idle = [...this.#open.values()].filter(({ busy }) => !busy);
    const old = this.#clock.now() - IDLE_MS;
    for (const { id } of idle.filter(({ touchedAt }) => touchedAt < old)) await this.cancel(id);
    if (this.#open.size < MAX_OPEN) return;
    const [oldest] = idle;
    if (oldest !== undefined) return this.cancel(oldest.id);
    throw new RegistryRefusal(429, 'TOOMANYREQUESTS', `${MAX_OPEN} uploads are under way`, {
      'retry-after': '5',
    });
  }

  async #clear(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
  }

  #path({ id }: Upload): string {
    return join(this.#directory, id);
  }
}

export function uploadUnknown(): RegistryRefusal {
  return new RegistryRefusal(404, 'BLOB_UPLOAD_UNKNOWN', 'no such upload, or it was given up');
}
