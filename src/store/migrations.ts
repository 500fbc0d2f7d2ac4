import type { DatabaseSync } from 'node:sqlite';
import { StoreError } from './store-error.ts';

/**
 * The schema, as numbered steps; step n makes schema n of n - 1. A released step is never changed.
 *
 * There is no history table: the Store interface reads only what is current (a watch begins with all that exists),
 * so history would be written and never read. It comes with its first reader, as a step of its own.
 */
export const SCHEMA_STEPS: readonly string[] = [
  `CREATE TABLE current (
     kind TEXT NOT NULL,
     key TEXT NOT NULL,
     value TEXT NOT NULL,
     create_rev INTEGER NOT NULL,
     mod_rev INTEGER NOT NULL,
     PRIMARY KEY (kind, key)
   ) STRICT;
   CREATE TABLE counter (id INTEGER PRIMARY KEY CHECK (id = 1), revision INTEGER NOT NULL) STRICT;
   INSERT INTO counter VALUES (1, 0);`,
  // The key of the audit's digests. SQLite's chance is ChaCha20, seeded by the system's.
  `ALTER TABLE counter ADD COLUMN digest_key TEXT NOT NULL DEFAULT '';
   UPDATE counter SET digest_key = lower(hex(randomblob(32)));`,
  // See segment.ts. Every record that was a row becomes a segment of its own; in time they are written together.
  `CREATE TABLE observed (
     sequence INTEGER PRIMARY KEY,
     mod_rev INTEGER NOT NULL,
     heads TEXT NOT NULL,
     texts TEXT NOT NULL
   ) STRICT;
   INSERT INTO observed (mod_rev, heads, texts)
     SELECT mod_rev, '[["' || kind || '",' || json_quote(key) || ',' || create_rev || ',' || mod_rev || ']]', value
     FROM current WHERE kind IN ('NodePresence', 'NodeVerdict', 'Event') ORDER BY mod_rev, kind, key;
   DELETE FROM current WHERE kind IN ('NodePresence', 'NodeVerdict', 'Event');`,
  // See packed-segment.ts. A line for each value, empty where the record is gone, becomes an array. JSON has no control
  // characters: 1 and 2 stand before and behind a line meanwhile.
  `ALTER TABLE observed ADD COLUMN packed BLOB;
   UPDATE observed SET texts = char(1) || replace(texts, char(10), char(2, 1)) || char(2);
   UPDATE observed SET texts = replace(replace(texts, char(1, 2), char(1) || 'null' || char(2)), char(2, 1), ',');
   UPDATE observed SET texts = replace(replace(texts, char(1), '['), char(2), ']');`,
  // See segment.ts. Segments of form 1 are read on; in time they are written anew.
  'ALTER TABLE observed ADD COLUMN form INTEGER NOT NULL DEFAULT 1;',
];

/** The schema from which on observed records are in segments: an older one has no table for them. */
export const SEGMENTS_SINCE = 3;

/** Throws StoreError `store-newer`. */
export function refuseNewerSchema(found: number, known = SCHEMA_STEPS.length): void {
  if (found <= known) return;
  throw new StoreError('store-newer', `the store has schema ${found}, this Attaché knows ${known}`, {
    hint: 'Start the Attaché release that wrote it, or a later one.',
  });
}

/**
 * Brings a database to the newest schema, each step in one transaction with its number (`user_version`), so that
 * a crash leaves the old schema or the new one. Throws StoreError `store-newer` when a later Attaché wrote it.
 */
export function migrate(db: DatabaseSync, steps: readonly string[] = SCHEMA_STEPS): void {
  const found = Number(db.prepare('PRAGMA user_version').get()?.user_version);
  refuseNewerSchema(found, steps.length);
  for (const [index, step] of steps.entries()) {
    if (index < found) continue;
    db.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}
