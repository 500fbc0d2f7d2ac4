import { mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BackupManifest } from '../model/backup.ts';
import { BackupError } from '../model/backup-error.ts';
import { toMessage } from '../model/error.ts';
import { STORE_FILE } from '../store/sqlite-store.ts';
import { inspectStoreFile } from '../store/store-file.ts';
import { readBackup, readBackupManifest } from './read-backup.ts';
import { restoreSha512Links, SHA512_LINKS } from './sha512-links.ts';

/** Stands where the database will be, so that a server that is started too early does not take the directory for new. */
export const NOT_YET = 'attache restore has not ended in this directory: empty it, and restore again\n';

/**
 * Fills a data directory from a backup; every file is compared with its digest, and the database opened, before it counts
 * as restored. The directory must be empty, or not be there. What fails leaves it as it was; a crash leaves one that `serve` refuses.
 * Throws as readBackup, BackupError `restore-refused`, StoreError.
 */
export async function restoreBackup(path: string, directory: string): Promise<BackupManifest> {
  await readBackupManifest(path);
  await requireEmpty(directory);
  try {
    return await fill(path, directory);
  } catch (error) {
    await empty(directory);
    throw error;
  }
}

async function requireEmpty(directory: string): Promise<void> {
  let names: readonly string[];
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    names = (await readdir(directory)).filter(name => name !== 'lost+found');
  } catch (cause) {
    throw new BackupError('restore-refused', `${directory}: ${toMessage(cause)}`, { cause });
  }
  if (names.length === 0) return;
  throw new BackupError(
    'restore-refused',
    `${directory} is not empty: it holds ${names.slice(0, 3).join(', ')}`,
    {
      hint: 'Stop the server that uses it, move the directory away, and restore into a new one: --data DIR',
    },
  );
}

async function fill(path: string, directory: string): Promise<BackupManifest> {
  const store = join(directory, STORE_FILE);
  const restored = join(directory, `${STORE_FILE}.restored`);
  await writeFile(store, NOT_YET, { mode: 0o600, flush: true });
  const folders = new Set([directory]);
  const addFolders = (from: string): void => {
    for (let folder = from; folder !== directory; folder = dirname(folder)) folders.add(folder);
  };
  const manifest = await readBackup(path, async (file, bytes) => {
    const target = file.path === STORE_FILE ? restored : join(directory, file.path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    addFolders(dirname(target));
    await writeFile(target, bytes, { mode: 0o600, flag: 'wx', flush: true });
  });
  if (!manifest.files.some(file => file.path === STORE_FILE))
    throw new BackupError('no-backup', `${path}: it holds no ${STORE_FILE}`);
  const { revision } = inspectStoreFile(restored);
  if (revision !== manifest.revision)
    throw new BackupError(
      'backup-damaged',
      `${path}: its database is at revision ${revision}, and not at ${manifest.revision}`,
    );
  if (await restoreSha512Links(directory)) addFolders(join(directory, SHA512_LINKS));
  for (const folder of folders) await sync(folder);
  await rename(restored, store);
  await sync(directory);
  return manifest;
}

/** Makes the names in it durable. */
async function sync(directory: string): Promise<void> {
  const folder = await open(directory, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function empty(directory: string): Promise<void> {
  for (const name of await readdir(directory))
    if (name !== 'lost+found') await rm(join(directory, name), { recursive: true, force: true });
}
