import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { migrate, SCHEMA_STEPS } from '../../src/store/migrations.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';

const CYCLES = 50;
const RECORDS = 20_000;
const SEED = Number(process.env.ATTACHE_TEST_SEED ?? 20261121);
const MIGRATOR = fileURLToPath(new URL('./store-migrator.ts', import.meta.url));
const clock = { now: Date.now, after: () => () => {} };
const folder = mkdtempSync(join(tmpdir(), 'attache-migration-'));
after(() => rmSync(folder, { recursive: true }));

test('a store of an older schema is brought to the newest one with all that is in it', async () => {
  const directory = join(folder, 'old');
  mkdirSync(directory);
  fill(join(directory, 'attache.db'), SCHEMA_STEPS.slice(0, 1), 100);
  const store = await openSqliteStore({ directory, clock });
  assert.equal((await store.list('ModuleKey')).records.length, 100);
  await store.put('ModuleKey', 'current', { hex: '1' });
  await store.close();
});

test(`kill -9 of a schema step, ${CYCLES} times (seed ${SEED}): the data is old and whole, or new and whole`, async () => {
  const old = join(folder, 'filled.db');
  fill(old, SCHEMA_STEPS, RECORDS);
  const random = seeded(SEED);
  const outcomes = { old: 0, new: 0 };
  // How long the step takes here, so that kills fall into all of it.
  const longestMs = await run(old, join(folder, 'measured.db'), undefined);
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    const file = join(folder, `${cycle}.db`);
    await run(old, file, random() * longestMs * 1.1);
    const found = inspect(file);
    outcomes[found] += 1;
    // What is old is migrated by the next start as if nothing had happened.
    if (cycle % 10 === 0) {
      await run(file, `${file}.again`, undefined);
      assert.equal(inspect(`${file}.again`), 'new');
    }
  }
  console.log(`the step took ${longestMs.toFixed(0)} ms; old ${outcomes.old}, new ${outcomes.new}`);
  assert.ok(outcomes.old > 0, 'some were killed before the end');
});

/** A closed database of some schema. */
function fill(file: string, steps: readonly string[], records: number): void {
  const db = new DatabaseSync(file);
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF');
  migrate(db, steps);
  const put = db.prepare("INSERT INTO current VALUES ('ModuleKey', ?, ?, 1, 1)");
  db.exec('BEGIN');
  for (let i = 0; i < records; i++) put.run(`key-${i}`, JSON.stringify({ hex: String(i).repeat(10) }));
  db.exec('UPDATE counter SET revision = 1; COMMIT');
  db.close();
}

/** Migrates a copy, killed after so many ms of it; answers how long it took. */
async function run(from: string, to: string, killAfterMs: number | undefined): Promise<number> {
  copyFileSync(from, to);
  for (const suffix of ['-wal', '-shm']) rmSync(`${to}${suffix}`, { force: true });
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MIGRATOR, to], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  const began = performance.now();
  if (killAfterMs !== undefined) {
    // The instant of the kill is the point of the test, not a wait for something.
    await delay(killAfterMs);
    child.kill('SIGKILL');
  }
  const [code] = await ended;
  if (killAfterMs === undefined) assert.equal(code, 0);
  return performance.now() - began;
}

/** Sound, and all of one schema. */
function inspect(file: string): 'old' | 'new' {
  const db = new DatabaseSync(file);
  try {
    assert.equal(db.prepare('PRAGMA integrity_check').get()?.integrity_check, 'ok');
    const schema = db.prepare('PRAGMA user_version').get()?.user_version;
    const { total, changed } = db
      .prepare(`SELECT count(*) AS total, sum(value LIKE '"new %') AS changed FROM current`)
      .get() as { total: number; changed: number };
    assert.equal(total, RECORDS);
    const isNew = schema === SCHEMA_STEPS.length + 1;
    assert.ok(isNew || schema === SCHEMA_STEPS.length);
    assert.equal(changed, isNew ? RECORDS : 0);
    return isNew ? 'new' : 'old';
  } finally {
    db.close();
  }
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}
