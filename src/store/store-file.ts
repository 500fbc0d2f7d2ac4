import { DatabaseSync } from 'node:sqlite';
import { refuseNewerSchema, SEGMENTS_SINCE } from './migrations.ts';
import { countRecords } from './segment.ts';
import { readCounter, readSegments } from './sqlite-engine.ts';
import { toStoreError } from './sqlite-error.ts';
import { StoreError } from './store-error.ts';

/** What is in a store's file that nobody has open. */
export interface StoreFileFacts {
  readonly revision: number;
  readonly schema: number;
  /** How many records of each kind. */
  readonly records: Readonly<Record<string, number>>;
}

/** Reads a copy of a store, whole, and changes nothing. Throws StoreError `store-damaged`, `store-newer`. */
export function inspectStoreFile(file: string): StoreFileFacts {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file, { readOnly: true });
    const check = db.prepare('PRAGMA integrity_check(1)').get()?.integrity_check;
    if (check !== 'ok') throw new StoreError('store-damaged', `${file}: ${check}`);
    const schema = Number(db.prepare('PRAGMA user_version').get()?.user_version);
    refuseNewerSchema(schema);
    const hasSegments = schema >= SEGMENTS_SINCE;
    const counted = db.prepare('SELECT kind, count(*) AS count FROM current GROUP BY kind').all();
    const rows = Object.fromEntries(counted.map(({ kind, count }) => [String(kind), Number(count)]));
    const records = hasSegments ? { ...rows, ...countRecords(readSegments(db)) } : rows;
    return { revision: readCounter(db, hasSegments ? undefined : ['current']), schema, records };
  } catch (thrown) {
    throw toStoreError(thrown, file);
  } finally {
    db?.close();
  }
}
