import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import { toMessage } from '../model/error.ts';
import type { DiskQuota } from './disk-quota.ts';
import { ModuleError } from './module-error.ts';

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

/** Chunks from a network are small: each write is a job for another thread, which costs more than the write. */
const BATCH_BYTES = 1 << 20;

/** Bytes into a new file, read-only and synced. What it took of the quota is given back where it fails. */
export async function writeHashed(
  path: string,
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: WriteBlobOptions,
  quota: DiskQuota,
): Promise<WrittenBlob> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let takenBytes = 0;
  let writtenBytes = 0;
  let batch: Uint8Array[] = [];
  const file = await guard('written', path, () => open(path, 'wx', 0o444));
  try {
    for await (const chunk of bytes) {
      sizeBytes += chunk.length;
      if (sizeBytes > options.maxBytes) throw tooBig(options.expected, options.maxBytes);
      await quota.take(chunk.length);
      takenBytes += chunk.length;
      hash.update(chunk);
      batch.push(chunk);
      if (sizeBytes - writtenBytes < BATCH_BYTES) continue;
      await guard('written', path, () => writeAll(file, batch));
      batch = [];
      writtenBytes = sizeBytes;
    }
    await guard('written', path, () => writeAll(file, batch));
    await guard('written', path, () => file.sync());
    const sha256 = hash.digest('hex');
    if (options.expected !== undefined && options.expected !== sha256)
      throw new ModuleError(
        'wrong-digest',
        `expected sha256:${options.expected}, received sha256:${sha256}`,
        {
          hint: 'The source sent other bytes than it promised: push the artifact again, or correct the digest.',
        },
      );
    return { sha256, sizeBytes };
  } catch (error) {
    quota.give(takenBytes);
    throw error;
  } finally {
    await file.close();
  }
}

/** Behind what was written before. */
async function writeAll(file: FileHandle, chunks: readonly Uint8Array[]): Promise<void> {
  if (chunks.length === 0) return;
  const { bytesWritten } = await file.writev(chunks);
  // The system may take less than it is given, e.g. where the disk gets full: the rest says why.
  const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (bytesWritten < sizeBytes) await file.writeFile(Buffer.concat(chunks).subarray(bytesWritten));
}

/** All of a file of that size, without the copies that are made where nobody knows the size. */
export async function readWhole(file: FileHandle, sizeBytes: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(sizeBytes);
  for (let position = 0; position < sizeBytes; ) {
    const { bytesRead } = await file.read(bytes, position, sizeBytes - position, position);
    if (bytesRead === 0) throw new Error(`the file ends after ${position} of ${sizeBytes} bytes`);
    position += bytesRead;
  }
  return bytes;
}

export async function hashFile(file: FileHandle): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(1 << 18);
  for (let position = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    position += bytesRead;
  }
}

/** A file as it is now. */
export interface FileState {
  readonly size: number;
  readonly mtimeMs: number;
  /** Changes with every write to the file, and with its replacement. */
  readonly mark: string;
}

export async function readState(file: FileHandle): Promise<FileState> {
  const { ino, size, mtimeMs, mtimeNs, ctimeNs } = await file.stat({ bigint: true });
  return { size: Number(size), mtimeMs: Number(mtimeMs), mark: `${ino} ${size} ${mtimeNs} ${ctimeNs}` };
}

export function openIfThere(path: string): Promise<FileHandle | undefined> {
  return unlessGone(() => open(path, 'r'));
}

/** Whether the name still leads to the file that was opened by it. */
export async function isFileAt(path: string, file: FileHandle): Promise<boolean> {
  const [there, own] = await Promise.all([unlessGone(() => stat(path)), file.stat()]);
  return there?.ino === own.ino && there.dev === own.dev;
}

/** False: there was nothing of that name. */
export async function moveIfThere(from: string, to: string): Promise<boolean> {
  const move = () => rename(from, to).then(() => true);
  return (await unlessGone(move)) ?? false;
}

async function unlessGone<T>(job: () => Promise<T>): Promise<T | undefined> {
  try {
    return await job();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export function tooBig(name: string | undefined, maxBytes: number): ModuleError {
  return new ModuleError('too-big', `${name ?? 'a blob'} has more than ${maxBytes} bytes`, {
    hint: 'Push a smaller artifact.',
  });
}

/** Wraps a fault of the file system once, where it enters. */
export async function guard<T>(verb: string, what: string, job: () => Promise<T>): Promise<T> {
  try {
    return await job();
  } catch (cause) {
    if (cause instanceof ModuleError) throw cause;
    const isFull = ['ENOSPC', 'EDQUOT'].includes(codeOf(cause) ?? '');
    throw new ModuleError(
      isFull ? 'cache-full' : 'cache-failed',
      `module directory: ${what} could not be ${verb}: ${toMessage(cause)}`,
      {
        cause,
        hint: isFull
          ? 'Make room on the disk of the data directory.'
          : 'Check space and permissions of the data directory.',
      },
    );
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}
