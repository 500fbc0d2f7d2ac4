import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BACKUP_FORMAT,
  BACKUP_MANIFEST,
  type BackupFile,
  type BackupManifest,
  type OpenBackup,
  type TakeBackup,
  toBlobPath,
} from '../model/backup.ts';
import type { Clock } from '../model/ports.ts';
import { type SqliteStore, STORE_FILE } from '../store/sqlite-store.ts';
import { inspectStoreFile } from '../store/store-file.ts';
import { type ArchivePart, toArchiveSize, writeArchive } from './archive.ts';
import { ifThere } from './if-there.ts';
import { readSha512Links, SHA512_LIST } from './sha512-links.ts';

/** The blobs of the module directory, as the module stage keeps them. */
export interface BlobSource {
  list(): readonly { readonly sha256: string; readonly sizeBytes: number }[];
  /** Keeps it from being collected for an hour. False: not here, or not sound. */
  has(sha256: string): Promise<boolean>;
  open(sha256: string): Promise<{ readonly file: FileHandle } | undefined>;
}

export interface BackupOptions {
  readonly dataDirectory: string;
  readonly store: SqliteStore;
  readonly blobs: BlobSource;
  readonly clock: Pick<Clock, 'now'>;
  /** Of this program. */
  readonly version: string;
}

/** A copy of the database, on its way into an archive: its name is gone, so that nothing is left of it after a crash. */
const COPY = 'backup.db';
/** What else is kept in the data directory, where it is there. */
const PLAIN_FILES = ['modules/oci-layout', 'modules/index.json', 'modules/registry-blobs.json'];
/** Files that open something; what was put elsewhere by a setting is the owner's to back up. */
export const KEY_FILES: readonly string[] = ['secret-key', 'admin-token'];

/**
 * Takes backups of a running server: the database as of one revision first, then what the built-in registry says it has
 * and by which names, then every sound blob. In that order a record never names a module that is not in the archive:
 * modules are stored before they are named. One is begun at a time. Throws StoreError, also `store-full`.
 */
export function createBackups(options: BackupOptions): TakeBackup {
  let last: Promise<unknown> = Promise.resolve();
  return request => {
    const next = last.then(() => begin(options, request.withoutKeys));
    last = next.catch(() => undefined);
    return next;
  };
}

async function begin(options: BackupOptions, withoutKeys: boolean): Promise<OpenBackup> {
  const { dataDirectory, blobs, clock, version } = options;
  const createdAt = clock.now();
  const { file, facts } = await copyStore(options);
  try {
    const small = await readSmallFiles(
      dataDirectory,
      withoutKeys ? PLAIN_FILES : [...PLAIN_FILES, ...KEY_FILES],
    );
    const links = await readSha512Links(dataDirectory);
    const parts = [
      await toStorePart(file),
      ...small,
      ...(links === undefined ? [] : [toPart(SHA512_LIST, links)]),
      ...(await toBlobParts(blobs)),
    ];
    const files = parts.map(({ name, sizeBytes, sha256 }): BackupFile => ({ path: name, sizeBytes, sha256 }));
    const manifest: BackupManifest = {
      format: BACKUP_FORMAT,
      version,
      createdAt,
      ...facts,
      withoutKeys,
      files,
    };
    const all = [toPart(BACKUP_MANIFEST, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)), ...parts];
    return {
      manifest,
      sizeBytes: toArchiveSize(all),
      bytes: writeArchive(all, createdAt),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface HashedPart extends ArchivePart {
  readonly sha256: string;
}

async function copyStore({ dataDirectory, store }: BackupOptions) {
  const path = join(dataDirectory, COPY);
  await rm(path, { force: true });
  try {
    store.copyTo(path);
    return { facts: inspectStoreFile(path), file: await open(path, 'r') };
  } finally {
    await rm(path, { force: true });
  }
}

async function toStorePart(file: FileHandle): Promise<HashedPart> {
  const read = (): AsyncIterable<Uint8Array> => file.createReadStream({ start: 0, autoClose: false });
  const hash = createHash('sha256');
  for await (const bytes of read()) hash.update(bytes);
  const { size } = await file.stat();
  return { name: STORE_FILE, sizeBytes: size, sha256: hash.digest('hex'), open: read };
}

async function readSmallFiles(directory: string, names: readonly string[]): Promise<readonly HashedPart[]> {
  const parts: HashedPart[] = [];
  for (const name of names) {
    const bytes = await ifThere(readFile(join(directory, name)));
    if (bytes !== undefined) parts.push(toPart(name, bytes));
  }
  return parts;
}

function toPart(name: string, bytes: Buffer): HashedPart {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return {
    name,
    sizeBytes: bytes.length,
    sha256,
    open: async function* () {
      yield bytes;
    },
  };
}

async function toBlobParts(blobs: BlobSource): Promise<readonly HashedPart[]> {
  const parts: HashedPart[] = [];
  for (const { sha256, sizeBytes } of blobs.list()) {
    // What is damaged was told elsewhere, and is fetched again.
    if (!(await blobs.has(sha256))) continue;
    parts.push({ name: toBlobPath(sha256), sizeBytes, sha256, open: () => readBlob(blobs, sha256) });
  }
  return parts.sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
}

async function* readBlob(blobs: BlobSource, sha256: string): AsyncGenerator<Uint8Array, void, void> {
  const blob = await blobs.open(sha256);
  if (blob === undefined) throw new Error(`module ${sha256} was damaged while it was backed up`);
  try {
    yield* blob.file.createReadStream({ start: 0, autoClose: false }) as AsyncIterable<Uint8Array>;
  } finally {
    await blob.file.close();
  }
}
