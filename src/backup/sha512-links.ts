import { mkdir, readdir, readFile, readlink, rm, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { noBackup } from '../model/backup-error.ts';
import { ifThere } from './if-there.ts';

/** Stands in a backup for the links that an archive of plain files cannot hold: the sha256 of each sha512. */
export const SHA512_LIST = 'modules/registry-sha512.json';
/** What the built-in registry was given by sha512: links to the blobs, which have their names by sha256. */
export const SHA512_LINKS = 'modules/blobs/sha512';

const SHA512 = /^[0-9a-f]{128}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** SHA512_LIST of a data directory; undefined: it has no such links. */
export async function readSha512Links(dataDirectory: string): Promise<Buffer | undefined> {
  const directory = join(dataDirectory, SHA512_LINKS);
  const links: Record<string, string> = {};
  for (const name of (await ifThere(readdir(directory)))?.toSorted() ?? [])
    if (SHA512.test(name)) links[name] = basename(await readlink(join(directory, name)));
  return Object.keys(links).length === 0 ? undefined : Buffer.from(`${JSON.stringify(links, null, 2)}\n`);
}

/**
 * Makes the links that SHA512_LIST tells of, where it was restored, and deletes it. False: there is none, as in a backup of
 * an older release. Throws BackupError `no-backup`.
 */
export async function restoreSha512Links(dataDirectory: string): Promise<boolean> {
  const list = join(dataDirectory, SHA512_LIST);
  const text = await ifThere(readFile(list, 'utf8'));
  if (text === undefined) return false;
  const directory = join(dataDirectory, SHA512_LINKS);
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const [sha512, sha256] of parse(text))
    await symlink(join('..', 'sha256', sha256), join(directory, sha512));
  await rm(list);
  return true;
}

/** Names of our own alone: a link must not lead out of the directory. */
function parse(text: string): readonly (readonly [sha512: string, sha256: string])[] {
  let links: readonly (readonly [string, unknown])[];
  try {
    links = Object.entries(JSON.parse(text) as object);
  } catch {
    throw noBackup(`${SHA512_LIST} cannot be read`);
  }
  return links.map(([sha512, sha256]) => {
    if (SHA512.test(sha512) && typeof sha256 === 'string' && SHA256.test(sha256)) return [sha512, sha256];
    throw noBackup(`${SHA512_LIST} names what is no digest`);
  });
}
