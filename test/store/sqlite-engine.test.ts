import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { EmbeddedStore } from '../../src/store/embedded-store.ts';
import { migrate } from '../../src/store/migrations.ts';
import { SqliteEngine } from '../../src/store/sqlite-engine.ts';
import { StoreError } from '../../src/store/store-error.ts';

test('a full disk refuses the write whole; reads go on, and writing works once there is space', async () => {
  const db = new DatabaseSync(':memory:');
  migrate(db);
  db.exec('PRAGMA max_page_count = 12');
  const store = new EmbeddedStore(new SqliteEngine(db, 'memory'));
  const revision = await store.put('ModuleKey', 'small', { hex: '1' });
  const big = { hex: 'x'.repeat(100_000) };
  await assert.rejects(
    store.transaction([
      { op: 'put', kind: 'ModuleKey', key: 'small', value: { hex: '2' } },
      { op: 'put', kind: 'ModuleKey', key: 'big', value: big },
    ]),
    error => error instanceof StoreError && error.code === 'store-full',
  );
  assert.deepEqual((await store.get('ModuleKey', 'small'))?.value, { hex: '1' });
  db.exec('PRAGMA max_page_count = 1000');
  assert.equal(await store.put('ModuleKey', 'big', big), revision + 1);
  await store.close();
});

test('a write that SQLite refuses leaves no transaction open', async () => {
  const db = new DatabaseSync(':memory:', { limits: { length: 50_000 } });
  migrate(db);
  const store = new EmbeddedStore(new SqliteEngine(db, 'memory'));
  await assert.rejects(
    store.transaction([
      { op: 'put', kind: 'ModuleKey', key: 'small', value: { hex: '1' } },
      { op: 'put', kind: 'ModuleKey', key: 'big', value: { hex: 'x'.repeat(100_000) } },
    ]),
    error => error instanceof StoreError && error.code === 'store-failed',
  );
  assert.equal(await store.get('ModuleKey', 'small'), undefined);
  assert.equal(await store.put('ModuleKey', 'small', { hex: '1' }), 1);
  await store.close();
});
