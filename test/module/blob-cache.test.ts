import assert from 'node:assert/strict';
import { chmod, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { ModuleError } from '../../src/module/module-error.ts';
import { until } from '../harness/wait.ts';
import { makeCache, makeDirectory, openTestCache } from './actors.ts';

const filesOf = (directory: string) => readdir(join(directory, 'blobs', 'sha256'));

test('a blob is read back, is kept once, and is not there under another name', async t => {
  const cache = await makeCache(t);
  const bytes = Buffer.from('blob');
  const written = await cache.write([bytes.subarray(0, 1), bytes.subarray(1)], { maxBytes: 10 });
  assert.deepEqual(written, { sha256: sha256Hex('blob'), sizeBytes: 4 });
  await cache.write([bytes], { maxBytes: 10, expected: written.sha256 });
  assert.deepEqual(await cache.read(written.sha256, 10), bytes);
  assert.deepEqual(await filesOf(cache.directory), [written.sha256]);
  for (const name of [sha256Hex('x'), written.sha256.toUpperCase(), '../index.json', ''])
    assert.equal(await cache.open(name), undefined);
});

test('too much, other bytes and a source that fails leave nothing behind', async t => {
  const cache = await makeCache(t);
  await assert.rejects(cache.write([Buffer.alloc(11)], { maxBytes: 10 }), { code: 'too-big' });
  const expected = sha256Hex('wanted');
  await assert.rejects(cache.write([Buffer.from('other')], { maxBytes: 10, expected }), {
    code: 'wrong-digest',
  });
  async function* broken() {
    yield Buffer.from('x');
    throw new Error('gone');
  }
  await assert.rejects(cache.write(broken(), { maxBytes: 10 }), /gone/);
  assert.deepEqual(await filesOf(cache.directory), []);
});

test('an interrupted write of an earlier process is cleared away', async t => {
  const { directory } = await makeCache(t);
  await writeFile(join(directory, 'blobs', 'sha256', '00.tmp'), 'half');
  await openTestCache(directory);
  assert.deepEqual(await filesOf(directory), []);
});

test('a directory that cannot be made is a fault that says so', async t => {
  const { directory } = await makeCache(t);
  const below = join(directory, 'oci-layout', 'modules');
  await assert.rejects(openTestCache(below), { code: 'cache-failed' });
});

test('two jobs for one digest are one job, the next is a new one, whatever came of it', async t => {
  const cache = await makeCache(t);
  let runs = 0;
  const job = async () => {
    runs++;
    await Promise.resolve();
    throw new Error(`run ${runs}`);
  };
  const both = await Promise.allSettled([cache.once('a', job), cache.once('a', job)]);
  assert.deepEqual(
    both.map(({ status }) => status),
    ['rejected', 'rejected'],
  );
  assert.equal(runs, 1);
  await assert.rejects(cache.once('a', job), /run 2/);
});

const MAX = { maxBytes: 100 };

/** Until the file system's clock has moved: two changes within one tick look the same to everybody. */
async function flipByte(path: string): Promise<void> {
  await chmod(path, 0o644);
  const before = (await stat(path)).ctimeMs;
  const file = await open(path, 'r+');
  try {
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, 2);
    const flipped = Buffer.of((buffer[0] ?? 0) ^ 1);
    await until(async () => (await file.write(flipped, 0, 1, 2)) && (await file.stat()).ctimeMs > before, {
      what: 'a later time of change',
    });
  } finally {
    await file.close();
  }
}

test('a blob whose file changed is hashed again before it is given away, at any time, and told as lost', async t => {
  const cache = await makeCache(t);
  const lost: string[] = [];
  cache.onLost(sha256 => lost.push(sha256));
  const { sha256 } = await cache.write([Buffer.from('sound')], MAX);
  const path = join(cache.directory, 'blobs', 'sha256', sha256);
  assert.equal(String(await cache.read(sha256, 10)), 'sound');
  await flipByte(path);
  assert.deepEqual(await Promise.all([cache.read(sha256, 10), cache.has(sha256)]), [undefined, false]);
  assert.deepEqual(lost, [sha256]);
  assert.deepEqual(await filesOf(cache.directory), [`${sha256}.damaged`]);
  await cache.write([Buffer.from('sound')], { ...MAX, expected: sha256 });
  assert.equal(String(await cache.read(sha256, 10)), 'sound');
  await cache.clearDamaged(Date.now() + 1_000);
  assert.deepEqual(await filesOf(cache.directory), [sha256]);
  assert.equal(cache.quota.usedBytes, 5);
  await rm(path, { force: true });
  assert.equal(await cache.verify(sha256), false);
  assert.deepEqual(lost, [sha256, sha256]);
  assert.equal(cache.quota.usedBytes, 0);
});

test('a damaged blob is set aside once, however many read it, and none of them gets it or an error', async t => {
  const cache = await makeCache(t);
  let lost = 0;
  cache.onLost(() => lost++);
  for (let round = 1; round <= 20; round++) {
    const { sha256 } = await cache.write([Buffer.from('sound')], MAX);
    await flipByte(join(cache.directory, 'blobs', 'sha256', sha256));
    // Each begins a little later than the one before, so that they meet it in every state.
    const readers = Array.from({ length: 20 }, async (_, later) => {
      for (let turn = 0; turn < later; turn++) await setImmediate();
      return cache.read(sha256, 10);
    });
    const read = await Promise.all(readers);
    assert.ok(read.every(bytes => bytes === undefined));
    assert.deepEqual([lost, cache.quota.usedBytes, cache.list()], [round, 0, []]);
  }
});

test('a scrub finds what rotted without a trace, and does not count as use', async t => {
  let now = 5_000;
  const cache = await openTestCache(await makeDirectory(t), { clock: { now: () => now } });
  const { sha256 } = await cache.write([Buffer.from('sound')], MAX);
  now = 9_000;
  assert.equal(await cache.verify(sha256), true);
  const [entry] = cache.list();
  assert.deepEqual(entry, { sha256, sizeBytes: 5, usedAt: 5_000, verifiedAt: 9_000 });
});

test('what was used since stays; what is deleted is gone for who asks next, and read on by who has it open', async t => {
  let now = 1_000;
  const cache = await openTestCache(await makeDirectory(t), { clock: { now: () => now } });
  const { sha256 } = await cache.write([Buffer.from('blob')], MAX);
  assert.equal(await cache.remove(sha256, 999), false);
  now = 2_000;
  await cache.has(sha256);
  assert.equal(await cache.remove(sha256, 1_999), false);
  const reader = await cache.open(sha256);
  const removing = cache.remove(sha256, 2_000);
  assert.equal(await cache.has(sha256), false, 'not found while it goes');
  assert.equal(await removing, true);
  assert.equal(String(await reader?.file.readFile()), 'blob');
  await reader?.file.close();
  assert.equal(await cache.remove(sha256, 9_999), false);
  assert.deepEqual([cache.list(), cache.quota.usedBytes], [[], 0]);
});

test('the quota counts what is there, refuses what does not fit, and keeps nothing of it', async t => {
  const directory = await makeDirectory(t);
  const small = await openTestCache(directory, { quotaBytes: 10 });
  await small.write([Buffer.from('123456')], MAX);
  await small.write([Buffer.from('123'), Buffer.from('456')], MAX).catch(() => {});
  assert.equal(small.quota.usedBytes, 6, 'a second copy is none');
  await assert.rejects(small.write([Buffer.from('abc'), Buffer.from('de')], MAX), { code: 'cache-full' });
  assert.equal(small.quota.usedBytes, 6);
  await small.write([Buffer.from('abcd')], MAX);
  const files = await filesOf(directory);
  assert.equal(files.length, 2);
  assert.equal((await openTestCache(directory, { quotaBytes: 5 })).quota.usedBytes, 10);
});

test('before it refuses, it asks once for room, whoever waits', async t => {
  const cache = await openTestCache(await makeDirectory(t), { quotaBytes: 10 });
  const { sha256 } = await cache.write([Buffer.from('old old')], MAX);
  let asked = 0;
  cache.quota.onFull(async () => {
    asked++;
    await cache.remove(sha256, Date.now());
    return 'all of it for plugins';
  });
  await Promise.all(['1234', '5678'].map(text => cache.write([Buffer.from(text)], MAX)));
  assert.equal(asked, 1);
  await assert.rejects(cache.write([Buffer.from('12345')], MAX), (error: unknown) => {
    assert.ok(error instanceof ModuleError);
    assert.equal(error.code, 'cache-full');
    assert.match(error.message, /8 B of 10 B; all of it for plugins/);
    return error.transient;
  });
});
