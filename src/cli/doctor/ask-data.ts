import { constants } from 'node:fs';
import { access, readdir, readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Report } from './finding.ts';
import { type DataEntry, type DataReading, judgeData } from './judge-data.ts';

/** Looks at a data directory, changes nothing there, and says what is wrong with it. */
export async function examineData(path: string): Promise<Report> {
  return { about: `data ${path}`, findings: judgeData(await readData(path)) };
}

async function readData(path: string): Promise<DataReading> {
  const names = await readdir(path).catch(() => undefined);
  const entries =
    names === undefined ? [] : await Promise.all(['.', ...names].map(name => readEntry(path, name)));
  const space = await statfs(path).catch(() => undefined);
  return {
    path,
    entries: entries.filter(entry => entry !== undefined),
    freeBytes: space && space.bavail * space.bsize,
  };
}

/** Undefined: it went while we looked. */
async function readEntry(path: string, name: string): Promise<DataEntry | undefined> {
  const file = join(path, name);
  const found = await stat(file).catch(() => undefined);
  if (found === undefined) return undefined;
  const writable = await access(file, constants.W_OK).then(
    () => true,
    () => false,
  );
  return { name, mode: found.mode & 0o777, writable };
}

/** The API of the server that runs on a data directory; undefined: none does. */
export async function findServer(path: string): Promise<string | undefined> {
  try {
    const { api } = JSON.parse(await readFile(join(path, 'addresses.json'), 'utf8'));
    return typeof api === 'string' ? api : undefined;
  } catch {
    return undefined;
  }
}
