/**
 * The child of store-migration.test.ts: brings a database to a schema that does not exist yet, by a step that writes every
 * record. Says when it begins, and ends with 0 when it is through. Argument: the database.
 */
import { writeSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { migrate, SCHEMA_STEPS } from '../../src/store/migrations.ts';

/** Marks every value; the joins make it take some tens of milliseconds. */
const STEP = `UPDATE current SET value = '"new ' || substr(value, 2)
  WHERE rowid IN (SELECT a.rowid FROM current a JOIN current b ON b.key = a.key AND b.kind = a.kind)`;

const db = new DatabaseSync(process.argv[2] ?? '');
db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
writeSync(1, 'begins\n');
migrate(db, [...SCHEMA_STEPS, STEP]);
db.close();
