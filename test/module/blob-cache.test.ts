import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { silentLog } from '../../src/model/ports.ts';
import { openBlobCache } from '../../src/module/blob-cache.ts';
import { makeCache, random } from './actors.ts';

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
  await openBlobCache({ directory, random, log: silentLog });
  assert.deepEqual(await filesOf(directory), []);
});

test('a directory that cannot be made is a fault that says so', async t => {
  const { directory } = await makeCache(t);
  const below = join(directory, 'oci-layout', 'modules');
  await assert.rejects(openBlobCache({ directory: below, random, log: silentLog }), { code: 'cache-failed' });
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
