import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a small file whole or not at all: a temporary file beside it, fsync, rename, fsync of the directory.
 * `suffix` tells concurrent writers apart.
 */
export async function writeFileDurably(path: string, text: string, suffix: string): Promise<void> {
  const temporary = `${path}.${suffix}.tmp`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await moveDurably(temporary, path);
}

/** Renames within one file system; durable when it resolves. The file must be synced before. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncDirectory(dirname(to));
}

/** Makes the names in it durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
