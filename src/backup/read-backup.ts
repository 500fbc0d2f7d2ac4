import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import {
  BACKUP_MANIFEST,
  type BackupFile,
  type BackupManifest,
  parseBackupManifest,
} from '../model/backup.ts';
import { BackupError, noBackup } from '../model/backup-error.ts';
import { toMessage } from '../model/error.ts';
import { readTarHeader, TAR_BLOCK, type TarFile, toTarPadding } from '../model/tar-header.ts';
import { refuseNewerSchema } from '../store/migrations.ts';

/** Is given each file of a backup in turn; what it took of one that turns out to be damaged is for it to throw away. */
export type TakeFile = (file: BackupFile, bytes: AsyncIterable<Uint8Array>) => Promise<void>;

/** Bounds what a file that is no backup can make us read. */
const MAX_MANIFEST_BYTES = 64 << 20;

/** What a backup says that it holds, by its first file alone. Throws as readBackup, and StoreError `store-newer`. */
export async function readBackupManifest(path: string): Promise<BackupManifest> {
  return withFile(path, async file => (await readHead(file)).manifest);
}

/**
 * Reads all of a backup, and compares every file with its digest. Throws BackupError `no-backup`, `backup-damaged`,
 * `backup-newer`, and StoreError `store-newer`.
 */
export function readBackup(path: string, take: TakeFile): Promise<BackupManifest> {
  return withFile(path, async file => {
    const { manifest, end } = await readHead(file);
    let at = end;
    for (const expected of manifest.files) {
      const found = await readHeader(file, at);
      if (found.name !== expected.path || found.sizeBytes !== expected.sizeBytes)
        throw noBackup(`${found.name} stands where ${expected.path} should`);
      const from = at + TAR_BLOCK;
      const hash = createHash('sha256');
      await take(expected, hashing(file, from, found.sizeBytes, hash));
      if (hash.digest('hex') !== expected.sha256)
        throw new BackupError('backup-damaged', `${expected.path} is not what was backed up`, {
          hint: 'Take another copy of the backup, or an older backup. Nothing was restored.',
        });
      at = from + found.sizeBytes + toTarPadding(found.sizeBytes);
    }
    if ((await readBlock(file, at)).some(byte => byte !== 0)) throw noBackup('more follows than it lists');
    return manifest;
  });
}

/** Compares every file with its digest, and keeps nothing. */
export function checkBackup(path: string): Promise<BackupManifest> {
  return readBackup(path, async (_, bytes) => {
    for await (const _ of bytes);
  });
}

async function readHead(file: FileHandle): Promise<{ manifest: BackupManifest; end: number }> {
  const { name, sizeBytes } = await readHeader(file, 0);
  if (name !== BACKUP_MANIFEST || sizeBytes > MAX_MANIFEST_BYTES) throw noBackup('it does not begin as one');
  const manifest = parseBackupManifest((await readExactly(file, TAR_BLOCK, sizeBytes)).toString('utf8'));
  refuseNewerSchema(manifest.schema);
  return { manifest, end: TAR_BLOCK + sizeBytes + toTarPadding(sizeBytes) };
}

async function readHeader(file: FileHandle, at: number): Promise<TarFile> {
  const header = readTarHeader(await readBlock(file, at));
  if (header === undefined)
    throw noBackup(at === 0 ? 'it does not begin as one' : `it is not readable at byte ${at}`);
  return header;
}

function readBlock(file: FileHandle, at: number): Promise<Buffer> {
  return readExactly(file, at, TAR_BLOCK);
}

async function readExactly(file: FileHandle, at: number, sizeBytes: number): Promise<Buffer> {
  const bytes = Buffer.alloc(sizeBytes);
  const { bytesRead } = await file.read(bytes, 0, sizeBytes, at);
  if (bytesRead !== sizeBytes) throw noBackup(`it ends at byte ${at + bytesRead}, too early`);
  return bytes;
}

async function* hashing(
  file: FileHandle,
  from: number,
  sizeBytes: number,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array, void, void> {
  let leftBytes = sizeBytes;
  if (sizeBytes > 0)
    for await (const bytes of file.createReadStream({
      start: from,
      end: from + sizeBytes - 1,
      autoClose: false,
    }) as AsyncIterable<Uint8Array>) {
      hash.update(bytes);
      leftBytes -= bytes.length;
      yield bytes;
    }
  if (leftBytes > 0) throw noBackup(`it ends at byte ${from + sizeBytes - leftBytes}, too early`);
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new BackupError('no-backup', `${path}: ${toMessage(cause)}`, { cause });
  });
  try {
    return await use(file);
  } catch (error) {
    if (!(error instanceof BackupError) || error.message.startsWith(path)) throw error;
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    throw new BackupError(error.code, `${path}: ${error.message}`, { cause: error, ...hint });
  } finally {
    await file.close();
  }
}
