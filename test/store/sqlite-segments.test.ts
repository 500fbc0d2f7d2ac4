/** What the observed kinds are in the file. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import { EmbeddedStore } from '../../src/store/embedded-store.ts';
import { migrate, SCHEMA_STEPS, SEGMENTS_SINCE } from '../../src/store/migrations.ts';
import { OBSERVED_KINDS } from '../../src/store/record-kinds.ts';
import { SqliteEngine } from '../../src/store/sqlite-engine.ts';
import { openSqliteStore, STORE_FILE } from '../../src/store/sqlite-store.ts';
import type { Records, Store } from '../../src/store/store.ts';
import { StoreError } from '../../src/store/store-error.ts';
import { inspectStoreFile } from '../../src/store/store-file.ts';
import { FakeClock } from './fake-clock.ts';

const clock = new FakeClock();

/** Keys that SQL, JSON or a C string would trip over. */
const KEYS = ['edge-1', `it's "q" \\ \n\t`, 'a\u0000b', '\u{1f600}\u2028', 'é'];

test('records of an older schema become segments, with their revisions; a backup of it can still be read', async t => {
  const { directory, file, select } = newFolder(t);
  const older = new DatabaseSync(file);
  migrate(older, SCHEMA_STEPS.slice(0, SEGMENTS_SINCE - 1));
  const put = older.prepare('INSERT INTO current VALUES (?, ?, ?, ?, ?)');
  const ordinary = JSON.stringify({ hex: '1' });
  for (const [n, key] of KEYS.entries())
    for (const kind of ['NodePresence', 'NodeVerdict', 'Event', 'ModuleKey'])
      put.run(
        kind,
        key,
        kind === 'ModuleKey' ? ordinary : JSON.stringify(toValue(`${key} line\n`)),
        n + 1,
        10 + n,
      );
  older.exec('UPDATE counter SET revision = 20');
  older.close();
  const all = KEYS.length;
  const counts = { NodePresence: all, NodeVerdict: all, Event: all, ModuleKey: all };
  assert.deepEqual(inspectStoreFile(file), { revision: 20, schema: SEGMENTS_SINCE - 1, records: counts });

  const store = await openSqliteStore({ directory, clock });
  for (const [n, key] of KEYS.entries())
    for (const kind of OBSERVED_KINDS) {
      const stored = { key, value: toValue(`${key} line\n`), revision: 10 + n, createdRevision: n + 1 };
      assert.deepEqual(await store.get(kind, key), stored);
    }
  assert.equal((await store.list('ModuleKey')).records.length, all);
  await store.put('NodeVerdict', 'edge-1', toValue('new'));
  await store.delete('NodePresence', 'edge-1');
  await store.close();
  assert.deepEqual(inspectStoreFile(file), {
    revision: 22,
    schema: SCHEMA_STEPS.length,
    records: { ...counts, NodePresence: all - 1 },
  });
  assert.equal(select("SELECT count(*) AS found FROM current WHERE kind <> 'ModuleKey'"), 0);
});

test('segments of an older schema are read on, wherever in them records are gone', async t => {
  const { directory, file } = newFolder(t);
  const older = new DatabaseSync(file);
  migrate(older, SCHEMA_STEPS.slice(0, SEGMENTS_SINCE));
  const put = older.prepare('INSERT INTO observed VALUES (?, ?, ?, ?)');
  const lines = [
    [undefined, 'a', 'b', 'c'],
    ['odd \u0001\u0002\n,', undefined, undefined, 'd', undefined],
    [undefined],
  ];
  for (const [n, texts] of lines.entries()) {
    const heads = texts.map((text, i) => ['NodeVerdict', `${n}.${i}`, ...(text === undefined ? [] : [1, 2])]);
    const values = texts.map(text => (text === undefined ? '' : JSON.stringify(toValue(text))));
    put.run(n + 1, 2, JSON.stringify(heads), values.join('\n'));
  }
  older.exec('UPDATE counter SET revision = 2');
  older.close();
  const found = lines.flatMap((texts, n) =>
    texts.flatMap((text, i) => (text === undefined ? [] : [[`${n}.${i}`, toValue(text)]])),
  );
  assert.equal(inspectStoreFile(file).records.NodeVerdict, found.length);
  const store = await openSqliteStore({ directory, clock });
  const { records } = await store.list('NodeVerdict');
  assert.deepEqual(
    records.map(({ key, value }) => [key, value]),
    found,
  );
  await store.close();
});

test('segments of the schema before this are read on, beside newer ones, and in time are written anew', async t => {
  const { directory, file, select } = newFolder(t);
  const older = new DatabaseSync(file);
  migrate(older, SCHEMA_STEPS.slice(0, 4));
  const put = older.prepare('INSERT INTO observed VALUES (?, 2, ?, ?, ?)');
  const keys = Array.from({ length: 3000 }, (_, n) => `edge-${n}`);
  const heads = JSON.stringify([...keys.map(key => ['NodeVerdict', key, 1, 2]), ['NodeVerdict', 'gone']]);
  const values = JSON.stringify([...keys.map(key => toValue(`${key} ${toHardText(120)}`)), null]);
  put.run(1, '', '', zstdCompressSync(`${heads}\n${values}`));
  put.run(2, '[["NodePresence","edge-1",2,2]]', JSON.stringify([toValue('it')]), null);
  older.exec('UPDATE counter SET revision = 2');
  older.close();
  assert.deepEqual(inspectStoreFile(file).records, { NodeVerdict: 3000, NodePresence: 1 });

  const store = await openSqliteStore({ directory, clock });
  assert.deepEqual(await store.get('NodePresence', 'edge-1'), {
    ...{ key: 'edge-1', value: toValue('it') },
    ...{ revision: 2, createdRevision: 2 },
  });
  const before = await store.list('NodeVerdict');
  assert.equal(before.records.length, 3000);
  for (let turn = 0; turn < 4; turn += 1)
    await store.transaction(
      keys.slice(1).map(key => {
        const value = toValue(`${turn} ${key} ${toHardText(120)}`);
        return { op: 'put', kind: 'NodeVerdict', key, value } as const;
      }),
    );
  const after = await store.list('NodeVerdict');
  assert.equal(after.records[0], before.records[0]);
  await store.close();
  assert.equal(select('SELECT count(*) AS found FROM observed WHERE form = 1'), 0);
  const again = await openSqliteStore({ directory, clock });
  assert.deepEqual(await again.list('NodeVerdict'), after);
  assert.deepEqual((await again.get('NodePresence', 'edge-1'))?.revision, 2);
  await again.close();
});

test('what a fleet answers at once is compressed, and read as it was put; one answer is not', async t => {
  const { directory, file, select, edit } = newFolder(t);
  const store = await openSqliteStore({ directory, clock });
  for (const key of ['alone', 'gone']) await store.put('NodePresence', key, toValue(key));
  const fleet = Array.from({ length: 100 }, (_, n) => KEYS.map(key => `${key} ${n}`)).flat();
  await store.transaction([
    { op: 'delete', kind: 'NodePresence', key: 'gone' },
    ...fleet.map(
      key => ({ op: 'put', kind: 'NodePresence', key, value: toValue(`${key}\n\u2028`) }) as const,
    ),
  ]);
  const before = await store.list('NodePresence');
  await store.close();
  assert.equal(select('SELECT count(*) AS found FROM observed WHERE packed IS NULL'), 2);
  const bytes = Number(select('SELECT max(length(packed)) AS found FROM observed'));
  assert.ok(bytes < 15_000, `${bytes} bytes for 500 nodes`);
  assert.equal(inspectStoreFile(file).records.NodePresence, fleet.length + 1);
  const again = await openSqliteStore({ directory, clock });
  assert.deepEqual(await again.list('NodePresence'), before);
  await again.close();
  edit(
    "UPDATE observed SET packed = CAST(substr(packed, 1, length(packed) - 1) || x'00' AS BLOB) WHERE sequence = 3",
  );
  await assert.rejects(openSqliteStore({ directory, clock }), isDamaged);
});

for (const [title, damage] of [
  ['the value of a node is not JSON', "UPDATE observed SET texts = '{' WHERE sequence = 2"],
  ['there are fewer values than nodes', "UPDATE observed SET texts = '[{}]' WHERE sequence = 1"],
  ['there are no values', "UPDATE observed SET texts = '' WHERE sequence = 1"],
  ['its values are no list', `UPDATE observed SET texts = '{"length":2}' WHERE sequence = 1`],
  [
    'it is compressed, but not as it should be',
    "UPDATE observed SET packed = x'28b52ffd00' WHERE sequence = 2",
  ],
  ['it does not say whose they are', "UPDATE observed SET heads = '[[1,2]]' WHERE sequence = 2"],
  ['it is of something else', `UPDATE observed SET heads = '[["Token","a",1,1]]' WHERE sequence = 2`],
  ['it does not say when', `UPDATE observed SET heads = '[["NodePresence","a","a"]]' WHERE sequence = 2`],
  ['it is of a form that nobody knows', 'UPDATE observed SET form = 3 WHERE sequence = 2'],
  ['it is newer than the counter', 'UPDATE counter SET revision = 1'],
] as const)
  test(`a segment that is not sound is a damage, never an absence: ${title}`, async t => {
    const { directory, edit } = newFolder(t);
    const store = await openSqliteStore({ directory, clock });
    await store.transaction(
      ['a', 'b'].map(key => ({ op: 'put', kind: 'NodeVerdict', key, value: toValue(key) }) as const),
    );
    await store.put('NodePresence', 'a', toValue('a'));
    await store.close();
    edit(damage);
    await assert.rejects(openSqliteStore({ directory, clock }), isDamaged);
  });

test('a value that was superseded is not read: what is wrong with it hurts nobody', async t => {
  const { directory, edit } = newFolder(t);
  const store = await openSqliteStore({ directory, clock });
  await store.put('NodeVerdict', 'a', toValue('1'));
  await store.put('NodeVerdict', 'a', toValue('2'));
  await store.close();
  edit("UPDATE observed SET texts = '{' WHERE sequence = 1");
  const again = await openSqliteStore({ directory, clock });
  assert.deepEqual((await again.get('NodeVerdict', 'a'))?.value, toValue('2'));
  await again.close();
});

test('a file whose nodes are written over and over does not grow', async () => {
  const db = new DatabaseSync(':memory:');
  migrate(db);
  const store = new EmbeddedStore(new SqliteEngine(db, 'memory'), { segmentSize: 20_000, floor: 20_000 });
  const pages = () => Number(db.prepare('PRAGMA page_count').get()?.page_count);
  await writeAll(store, 0);
  const live = pages();
  for (let turn = 1; turn <= 5; turn += 1) await writeAll(store, turn);
  const settled = pages();
  for (let turn = 1; turn <= 40; turn += 1) await writeAll(store, turn);
  assert.ok(pages() <= settled + 10, `${settled} pages, then ${pages()}`);
  assert.ok(settled < 4 * live, `${live} pages at first, then ${settled}`);
  await store.close();
});

test('a full disk refuses nodes whole, and reads go on with what was', async () => {
  const db = new DatabaseSync(':memory:');
  migrate(db);
  const store = new EmbeddedStore(new SqliteEngine(db, 'memory'));
  const revision = await store.put('NodeVerdict', 'a', toValue('1'));
  const before = await store.get('NodeVerdict', 'a');
  db.exec(`PRAGMA max_page_count = ${Number(db.prepare('PRAGMA page_count').get()?.page_count) + 2}`);
  const all = ['a', 'b'].map(
    key => ({ op: 'put', kind: 'NodeVerdict', key, value: toValue(toHardText(50_000)) }) as const,
  );
  await assert.rejects(
    store.transaction(all),
    error => error instanceof StoreError && error.code === 'store-full',
  );
  assert.equal(await store.get('NodeVerdict', 'a'), before);
  assert.equal(await store.get('NodeVerdict', 'b'), undefined);
  db.exec('PRAGMA max_page_count = 1000');
  assert.equal(await store.transaction(all), revision + 1);
  assert.equal((await store.list('NodeVerdict')).records.length, 2);
  await store.close();
});

/** 200 nodes in transactions of 20. */
async function writeAll(store: Store, turn: number): Promise<void> {
  for (let first = 0; first < 200; first += 20)
    await store.transaction(
      Array.from({ length: 20 }, (_, n) => {
        const value = toValue(`${turn} ${'x'.repeat(300)}`);
        return { op: 'put', kind: 'NodeVerdict', key: `node-${first + n}`, value } as const;
      }),
    );
}

/** Of either observed kind: the store does not look into values. */
function toValue(text: string): Records['NodeVerdict'] & Records['NodePresence'] {
  return { text } as unknown as Records['NodeVerdict'] & Records['NodePresence'];
}

/** So many characters that do not compress below half of that. */
function toHardText(length: number): string {
  let text = '';
  while (text.length < length) text += createHash('sha256').update(text).digest('hex');
  return text.slice(0, length);
}

function isDamaged(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'store-damaged';
}

/** A folder for a store, and two ways around the store into its file. */
function newFolder(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'attache-segments-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = join(directory, STORE_FILE);
  const within = <T>(work: (db: DatabaseSync) => T): T => {
    const db = new DatabaseSync(file);
    try {
      return work(db);
    } finally {
      db.close();
    }
  };
  return {
    directory,
    file,
    edit: (sql: string) => within(db => db.exec(sql)),
    select: (sql: string) => within(db => db.prepare(sql).get()?.found),
  };
}
