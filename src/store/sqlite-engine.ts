import { writeFileSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { Engine, Row, Write } from './engine.ts';
import { prefixEnd } from './key-order.ts';
import { SegmentPacker, type SegmentRow, unpack } from './packed-segment.ts';
import type { Kind } from './record-kinds.ts';
import type { Segment, SegmentChange } from './segment.ts';
import { toStoreError } from './sqlite-error.ts';
import { StoreError } from './store-error.ts';

const ROW = 'SELECT key, value AS text, mod_rev AS revision, create_rev AS createdRevision FROM current';
const PUT = `INSERT INTO current VALUES (?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET value = excluded.value, mod_rev = excluded.mod_rev`;
/** All columns: a backup of an older schema has one less. */
const SEGMENTS = 'SELECT * FROM observed ORDER BY sequence DESC';

/** The engine over an open, migrated database. SQLite's BINARY collation is the order of compareKeys. */
export class SqliteEngine implements Engine {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #read: StatementSync;
  readonly #scan: StatementSync;
  readonly #put: StatementSync;
  readonly #delete: StatementSync;
  readonly #addSegment: StatementSync;
  readonly #dropSegments: StatementSync;
  readonly #count: StatementSync;
  readonly #packer = new SegmentPacker();
  readonly digestKey: string;
  #revision: number;

  constructor(db: DatabaseSync, file: string) {
    this.#db = db;
    this.#file = file;
    this.#read = db.prepare(`${ROW} WHERE kind = ? AND key = ?`);
    this.#scan = db.prepare(`${ROW} WHERE kind = ?1 AND key >= ?2 AND (?3 IS NULL OR key < ?3) ORDER BY key`);
    this.#put = db.prepare(PUT);
    this.#delete = db.prepare('DELETE FROM current WHERE kind = ? AND key = ?');
    this.#addSegment = db.prepare('INSERT INTO observed VALUES (?, ?, ?, ?, ?, ?)');
    this.#dropSegments = db.prepare('DELETE FROM observed WHERE sequence <= ?');
    this.#count = db.prepare('UPDATE counter SET revision = ?');
    this.digestKey = String(db.prepare('SELECT digest_key FROM counter').get()?.digest_key);
    this.#revision = readCounter(db);
  }

  get revision(): number {
    return this.#revision;
  }

  read(kind: Kind, key: string): Row | undefined {
    return this.#guard(() => this.#read.get(kind, key) as Row | undefined);
  }

  scan(kind: Kind, prefix: string): readonly Row[] {
    return this.#guard(() => this.#scan.all(kind, prefix, prefixEnd(prefix) ?? null) as unknown as Row[]);
  }

  /** To be read whole before anything else is asked for. */
  *segments(): Generator<Segment> {
    try {
      yield* readSegments(this.#db);
    } catch (thrown) {
      throw toStoreError(thrown, this.#file);
    }
  }

  apply(revision: number, writes: readonly Write[], { added, droppedTo }: SegmentChange): void {
    this.#guard(() => {
      this.#db.exec('BEGIN IMMEDIATE');
      for (const { kind, key, row } of writes) {
        if (row === undefined) this.#delete.run(kind, key);
        else this.#put.run(kind, key, row.text, row.createdRevision, row.revision);
      }
      if (droppedTo > 0) this.#dropSegments.run(droppedTo);
      for (const segment of added) {
        const { sequence, heads, texts, packed, form } = this.#packer.pack(segment);
        this.#addSegment.run(sequence, revision, heads, texts, packed, form);
      }
      this.#count.run(revision);
      this.#db.exec('COMMIT');
    });
    this.#revision = revision;
  }

  /** All of it as of now, into a file that is not there: one statement, so that nothing can come between. */
  copyTo(file: string): void {
    this.#guard(() => {
      // It holds keys, as the store does; SQLite would make it readable for everybody, and takes one that is empty.
      writeFileSync(file, '', { flag: 'wx', mode: 0o600 });
      this.#db.prepare('VACUUM INTO ?').run(file);
    });
  }

  close(): void {
    this.#db.close();
  }

  /** SQLite leaves a transaction open after some faults and ends it after others. */
  #guard<T>(step: () => T): T {
    try {
      return step();
    } catch (thrown) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw toStoreError(thrown, this.#file);
    }
  }
}

/** Newest first. */
export function* readSegments(db: DatabaseSync): Generator<Segment> {
  for (const row of db.prepare(SEGMENTS).iterate()) yield unpack(row as unknown as SegmentRow);
}

/** The counter outlives deleted rows; a row above it means that writes were lost or the file was patched up. */
export function readCounter(db: DatabaseSync, tables: readonly string[] = ['current', 'observed']): number {
  const counter = db.prepare('SELECT revision FROM counter').get()?.revision;
  for (const table of tables) {
    const newest = db.prepare(`SELECT max(mod_rev) AS newest FROM ${table}`).get()?.newest;
    if (typeof counter !== 'number' || (typeof newest === 'number' && newest > counter))
      throw new StoreError('store-damaged', `the newest record is at ${newest}, the counter at ${counter}`);
  }
  return Number(counter);
}
