import { type Finding, ok, problem, toNameList, warning } from './finding.ts';
import { judgeDisk } from './judge-server.ts';

/** A data directory on this machine. */
export interface DataReading {
  readonly path: string;
  /** The directory itself and what stands in it; none: it cannot be read. */
  readonly entries: readonly DataEntry[];
  /** Undefined: the file system does not say. */
  readonly freeBytes: number | undefined;
}

export interface DataEntry {
  /** `.`: the directory itself */
  readonly name: string;
  /** The permission bits. */
  readonly mode: number;
  /** Whether this process may write there. */
  readonly writable: boolean;
}

/** Files whose content is worth something to others; the directory keeps them as well. */
const SECRET: readonly string[] = ['attache.db', 'attache.db-wal', 'secret-key', 'admin-token', 'audit-key'];
const OTHERS = 0o077;

/** What is wrong with a data directory. Pure. */
export function judgeData({ path, entries, freeBytes }: DataReading): readonly Finding[] {
  const directory = entries.find(entry => entry.name === '.');
  if (directory === undefined)
    return [
      problem('no-data', `${path} is not there, or may not be read: name the data directory, --data DIR`),
    ];
  if (!entries.some(entry => entry.name === 'attache.db'))
    return [
      problem('not-data', `${path} holds no attache.db, so it is no data directory: name it, --data DIR`),
    ];
  const unwritable = entries.filter(entry => !entry.writable).map(entry => entry.name);
  const open = directory.mode & OTHERS ? entries.filter(isOpen).map(entry => entry.name) : [];
  return [
    ...(open.length === 0
      ? [ok('data', 'nobody else may read it')]
      : [
          problem(
            'data-open',
            `others on this machine may read ${toNameList(open)}, which opens secrets or the API to them: chmod -R go= ${path}`,
          ),
        ]),
    ...(unwritable.length === 0
      ? []
      : [
          warning(
            'data-not-writable',
            `you may not write ${toNameList(unwritable)}: as this user attache serve would not start here`,
          ),
        ]),
    ...judgeDisk(freeBytes),
  ];
}

function isOpen({ name, mode }: DataEntry): boolean {
  return SECRET.includes(name) && (mode & OTHERS) !== 0;
}
