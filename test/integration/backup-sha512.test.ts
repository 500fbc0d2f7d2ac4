/** What was pushed with sha512 digests, after it came out of a backup. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { restoreBackup } from '../../src/backup/restore-backup.ts';
import { createBackups } from '../../src/backup/take-backup.ts';
import { silentLog } from '../../src/model/ports.ts';
import { collectGarbage } from '../../src/module/collect-garbage.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { makeDirectory, openTestCache, startRegistry, systemClock } from '../module/actors.ts';
import { callRegistry, toDigest } from '../module/registry-client.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const DAY_MS = 86_400_000;

/** A server's directories, with an image whose blobs are named by sha512; and the backup of them. */
async function takeBackup(t: TestContext): Promise<{ readonly file: string; readonly layer: string }> {
  const data = await makeDirectory(t);
  const store = await openSqliteStore({ directory: data, clock: systemClock });
  stopAfter(t, { stop: () => store.close() });
  const cache = await openTestCache(join(data, 'modules'));
  const call = callRegistry((await startRegistry(t, () => false, { cache })).host);
  const push = async (bytes: Buffer) => {
    const digest = toDigest(bytes, 'sha512');
    const { status } = await call('POST', `/v2/team/auth/blobs/uploads/?digest=${digest}`, { body: bytes });
    assert.equal(status, 201);
    return { mediaType: 'application/wasm', digest, size: bytes.length };
  };
  const config = await push(Buffer.from('{}'));
  const layer = await push(Buffer.from('the module'));
  const body = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] }),
  );
  const put = await call('PUT', '/v2/team/auth/manifests/1', {
    headers: { 'content-type': MANIFEST },
    body,
  });
  assert.equal(put.status, 201, put.body.toString());
  const take = createBackups({ dataDirectory: data, store, blobs: cache, clock: systemClock, version: '0' });
  const backup = await take({ withoutKeys: false });
  const file = join(await makeDirectory(t), 'backup.tar');
  await writeFile(file, backup.bytes);
  await backup.close();
  return { file, layer: layer.digest };
}

test('what was pushed by sha512 is served after a restore, and stays', async t => {
  const { file, layer } = await takeBackup(t);
  const data = join(await makeDirectory(t), 'data');
  await restoreBackup(file, data);
  const store = await openSqliteStore({ directory: data, clock: systemClock });
  stopAfter(t, { stop: () => store.close() });
  // What nobody names would go by now.
  const clock = { ...systemClock, now: () => Date.now() + 2 * DAY_MS };
  const cache = await openTestCache(join(data, 'modules'));
  const { host, registry } = await startRegistry(t, () => false, { cache, clock });
  const freed = await collectGarbage(
    { store, cache, registryHeld: () => registry.held(), clock, log: silentLog },
    0,
  );
  assert.equal(freed, 0);
  const call = callRegistry(host);
  assert.equal((await call('GET', '/v2/team/auth/manifests/1')).status, 200);
  const { status, body } = await call('GET', `/v2/team/auth/blobs/${layer}`);
  assert.deepEqual([status, body.toString()], [200, 'the module']);
});
