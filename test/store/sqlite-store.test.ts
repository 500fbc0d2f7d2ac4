import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { migrate, SCHEMA_STEPS } from '../../src/store/migrations.ts';
import { isSupportedSqlite, openSqliteStore, STORE_FILE } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { describeStoreContract } from '../contract/store-contract.ts';
import { FakeClock } from './fake-clock.ts';

const clock = new FakeClock();

describeStoreContract('sqlite', async () => {
  const directory = await makeDirectory();
  const under = {
    store: await openSqliteStore({ directory, clock }),
    reopen: async () => {
      await under.store.close();
      under.store = await openSqliteStore({ directory, clock });
      return under.store;
    },
    dispose: async () => {
      await under.store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return under;
});

test('a directory that is open is refused at once, also to the same process, and is free after close', async () => {
  await inDirectory(async directory => {
    const store = await openSqliteStore({ directory, clock });
    await rejectsCode(openSqliteStore({ directory, clock }), 'data-directory-in-use');
    await rejectsCode(openSqliteStore({ directory, clock }), 'data-directory-in-use');
    await store.put('ModuleKey', 'a', { hex: '1' });
    await store.close();
    await (await openSqliteStore({ directory, clock })).close();
  });
});

test('the directory is made; the file, and a copy of it, are readable by their owner alone', async () => {
  await inDirectory(async parent => {
    const directory = join(parent, 'deep', 'data');
    const store = await openSqliteStore({ directory, clock });
    await store.put('ModuleKey', 'a', { hex: '1' });
    store.copyTo(join(directory, 'copy.db'));
    for (const name of await readdir(directory))
      assert.equal((await stat(join(directory, name))).mode & 0o777, 0o600, name);
    await store.close();
  });
});

test('a directory that cannot be used says so', async () => {
  await inDirectory(async parent => {
    await writeFile(join(parent, 'file'), '');
    const directory = join(parent, 'file', 'data');
    await rejectsCode(openSqliteStore({ directory, clock }), 'data-directory-unusable');
  });
});

test('a file that is no database is refused as damaged and left alone', async () => {
  await inDirectory(async directory => {
    await writeFile(join(directory, STORE_FILE), 'no database '.repeat(1000));
    await rejectsCode(openSqliteStore({ directory, clock }), 'store-damaged');
    assert.equal((await stat(join(directory, STORE_FILE))).size, 12_000);
  });
});

for (const [title, damage] of [
  ['with a page of records overwritten', (file: string) => overwriteRoot(file, 'current')],
  [
    'with a page of its index overwritten',
    (file: string) => overwriteRoot(file, 'sqlite_autoindex_current_1'),
  ],
  ['cut short', (file: string) => truncate(file, 8192)],
] as const)
  test(`a database ${title} is refused as damaged`, async () => {
    await inDirectory(async directory => {
      await fill(await openSqliteStore({ directory, clock }));
      await damage(join(directory, STORE_FILE));
      await rejectsCode(openSqliteStore({ directory, clock }), 'store-damaged');
    });
  });

test('a counter that is behind the records is refused as damaged', async () => {
  await inDirectory(async directory => {
    await fill(await openSqliteStore({ directory, clock }));
    editFile(directory, 'UPDATE counter SET revision = 1');
    await rejectsCode(openSqliteStore({ directory, clock }), 'store-damaged');
  });
});

test('a record that is not JSON is a damage, never an absence', async () => {
  await inDirectory(async directory => {
    await fill(await openSqliteStore({ directory, clock }));
    editFile(directory, "UPDATE current SET value = '{' WHERE key = 'key-007'");
    const store = await openSqliteStore({ directory, clock });
    await rejectsCode(store.get('ModuleKey', 'key-007'), 'store-damaged');
    assert.notEqual(await store.get('ModuleKey', 'key-008'), undefined);
    await store.close();
  });
});

test('a store that a newer Attaché wrote is refused and left as it is', async () => {
  await inDirectory(async directory => {
    await (await openSqliteStore({ directory, clock })).close();
    editFile(directory, 'PRAGMA user_version = 99');
    await rejectsCode(openSqliteStore({ directory, clock }), 'store-newer');
    editFile(directory, `PRAGMA user_version = ${SCHEMA_STEPS.length}`);
    await (await openSqliteStore({ directory, clock })).close();
  });
});

test('schema steps run once each, and one that fails leaves the schema before it', () => {
  const db = new DatabaseSync(':memory:');
  const second = 'CREATE TABLE more (a)';
  migrate(db);
  assert.throws(() => migrate(db, [...SCHEMA_STEPS, `${second}; NONSENSE`]));
  if (db.isTransaction) db.exec('ROLLBACK');
  const newest = SCHEMA_STEPS.length;
  assert.equal(db.prepare('PRAGMA user_version').get()?.user_version, newest);
  migrate(db, [...SCHEMA_STEPS, second]);
  migrate(db, [...SCHEMA_STEPS, second]);
  assert.equal(db.prepare('PRAGMA user_version').get()?.user_version, newest + 1);
  db.close();
});

test('SQLite releases that can lose data are told apart', () => {
  for (const version of ['3.51.2', '3.7.0', '3.9.9', '2.99.99'])
    assert.equal(isSupportedSqlite(version), false, version);
  for (const version of ['3.51.3', '3.51.10', '3.53.4', '4.0.0'])
    assert.equal(isSupportedSqlite(version), true, version);
});

async function fill(store: Store): Promise<void> {
  for (let n = 0; n < 200; n += 1)
    await store.put('ModuleKey', `key-${String(n).padStart(3, '0')}`, { hex: 'x'.repeat(500) });
  await store.close();
}

/** Overwrites the first page of a table or an index. */
async function overwriteRoot(file: string, name: string): Promise<void> {
  const db = new DatabaseSync(file, { readOnly: true });
  const page = Number(db.prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?').get(name)?.rootpage);
  db.close();
  const handle = await open(file, 'r+');
  await handle.write(Buffer.alloc(4096, 0xee), 0, 4096, 4096 * (page - 1));
  await handle.close();
}

function editFile(directory: string, sql: string): void {
  const db = new DatabaseSync(join(directory, STORE_FILE));
  db.exec(sql);
  db.close();
}

function makeDirectory(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'attache-store-'));
}

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await makeDirectory();
  try {
    await run(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function rejectsCode(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, error => {
    assert.ok(error instanceof StoreError, String(error));
    assert.equal(error.code, code, error.message);
    return true;
  });
}
