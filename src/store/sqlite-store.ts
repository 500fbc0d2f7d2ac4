import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type Clock, type Log, silentLog } from '../model/ports.ts';
import { EmbeddedStore } from './embedded-store.ts';
import type { Engine } from './engine.ts';
import { migrate } from './migrations.ts';
import { SqliteEngine } from './sqlite-engine.ts';
import { toStoreError } from './sqlite-error.ts';
import type { Store } from './store.ts';
import { StoreError } from './store-error.ts';

/** The store's file in the data directory; SQLite keeps its write-ahead log beside it. */
export const STORE_FILE = 'attache.db';

/** Every release from 3.7.0 to 3.51.2 can damage a WAL database: https://sqlite.org/wal.html#walresetbug */
export const SQLITE_FLOOR = '3.51.3';

/** A commit that takes longer is worth a warning: the API is synchronous, so everything else waited too. */
const SLOW_COMMIT_MS = 250;

export interface SqliteStoreOptions {
  /** Made (mode 0700) when it does not exist. */
  readonly directory: string;
  /** Times the commits. */
  readonly clock: Clock;
  readonly log?: Log;
}

/** A store that can be copied while it is used. */
export interface SqliteStore extends Store {
  /** Into a file that is not there; it holds one revision, and everything else waits meanwhile. Throws StoreError. */
  copyTo(file: string): void;
}

/**
 * The embedded store: one SQLite file, one connection, every commit on disk before it is answered. Throws
 * StoreError: `data-directory-in-use` at once when any other open store has the directory,
 * `data-directory-unusable`, `store-damaged`, `store-newer`, `sqlite-too-old`.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const file = join(options.directory, STORE_FILE);
  let db: DatabaseSync | undefined;
  try {
    createFile(options.directory, file);
    db = new DatabaseSync(file, { timeout: 0, defensive: true });
    prepareDatabase(db, file);
    const engine = new SqliteEngine(db, file);
    const store = new EmbeddedStore(timed(engine, options.clock, options.log ?? silentLog));
    return Object.assign(store, { copyTo: (copy: string) => engine.copyTo(copy) });
  } catch (thrown) {
    db?.close();
    throw toStoreError(thrown, file);
  }
}

/**
 * The store holds keys: its file is the user's alone. Only ever created here, never opened: closing any other
 * descriptor of the file would drop the POSIX locks that a store in this process holds on it.
 */
function createFile(directory: string, file: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  try {
    writeFileSync(file, '', { flag: 'wx', mode: 0o600 });
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'EEXIST') throw thrown;
  }
}

function prepareDatabase(db: DatabaseSync, file: string): void {
  const version = String(db.prepare('SELECT sqlite_version() AS version').get()?.version);
  if (!isSupportedSqlite(version))
    throw new StoreError('sqlite-too-old', `SQLite ${version} can lose data; ${SQLITE_FLOOR} is needed`, {
      hint: 'Run Attaché with a newer Node.',
    });
  // Before the first access: from then on the file is locked until this process ends, however it ends.
  db.exec('PRAGMA locking_mode = EXCLUSIVE');
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = FULL');
  // A reader's lock is not enough: another process must be refused before it reads anything.
  db.exec('BEGIN IMMEDIATE; COMMIT');
  const check = db.prepare('PRAGMA quick_check(1)').get()?.quick_check;
  if (check !== 'ok') throw new StoreError('store-damaged', `${file}: ${check}`);
  migrate(db);
}

/** Whether this SQLite release keeps what it acknowledged (SQLITE_FLOOR or later). */
export function isSupportedSqlite(version: string): boolean {
  // A collation would do it in one call, and takes 10 ms of each start to load.
  const found = version.split('.').map(Number);
  const floor = SQLITE_FLOOR.split('.').map(Number);
  const differs = floor.findIndex((number, i) => number !== (found[i] ?? 0));
  return differs < 0 || (found[differs] ?? 0) > (floor[differs] ?? 0);
}

function timed(engine: Engine, clock: Clock, log: Log): Engine {
  return {
    get revision() {
      return engine.revision;
    },
    digestKey: engine.digestKey,
    read: (kind, key) => engine.read(kind, key),
    scan: (kind, prefix) => engine.scan(kind, prefix),
    segments: () => engine.segments(),
    apply: (revision, writes, segments) => {
      const began = clock.now();
      engine.apply(revision, writes, segments);
      const durationMs = clock.now() - began;
      if (durationMs >= SLOW_COMMIT_MS)
        log.warn(
          { durationMs, writes: writes.length, segments: segments.added.length },
          'the disk took long to confirm a write',
        );
    },
    close: () => engine.close(),
  };
}
