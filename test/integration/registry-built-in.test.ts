import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { test } from 'node:test';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { silentLog } from '../../src/model/ports.ts';
import { createBuiltInRegistry } from '../../src/module/built-in-registry.ts';
import { createModuleSource } from '../../src/module/fetch-module.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { stopAfter } from '../harness/cleanup.ts';
import {
  anybody,
  makeCache,
  makeModule,
  NO_AUDIT,
  openTestCache,
  random,
  sourceOptions,
  startRegistry,
  startWeb,
  systemClock,
} from '../module/actors.ts';

const push = (host: string, name: string, bytes: Uint8Array) =>
  pushModule({ bytes, reference: `${host}/${name}`, insecureRegistries: [], dockerConfigPath: undefined });

async function makeSource(t: TestContext, host: string) {
  const source = createModuleSource(await makeCache(t), sourceOptions([host]));
  stopAfter(t, { stop: () => source.close() });
  return source;
}

const never = new AbortController().signal;

test('what was pushed is pulled by tag and by digest, and known by three digests', async t => {
  const { host } = await startRegistry(t);
  const bytes = makeModule('one');
  const pushed = await push(host, 'team/auth:1.4', bytes);
  assert.equal(pushed.moduleSha256, sha256Hex(bytes));
  const source = await makeSource(t, host);
  for (const name of ['team/auth:1.4', `team/auth@${pushed.manifestDigest}`]) {
    const pulled = await source.fetch({ url: `oci://${host}/${name}` }, never);
    assert.deepEqual(pulled.bytes, Buffer.from(bytes));
    assert.equal(pulled.layout, 'cncf');
    assert.equal(pulled.referenceDigest, pushed.manifestDigest);
    assert.equal(pulled.manifestDigest, pushed.manifestDigest);
  }
});

test('the same module has the same digests on every push', async t => {
  const [one, two] = [await startRegistry(t), await startRegistry(t)];
  assert.deepEqual(
    await push(one.host, 'a:1', makeModule('x')),
    await push(two.host, 'b:2', makeModule('x')),
  );
});

test('tags are listed by repository, a moved tag names the new bytes, the old digest stays', async t => {
  const { host } = await startRegistry(t);
  const old = await push(host, 'auth:1', makeModule('old'));
  await push(host, 'auth:2', makeModule('old'));
  await push(host, 'auth:1', makeModule('new'));
  const list = async (query: string) => (await fetch(`http://${host}/v2/auth/tags/list${query}`)).json();
  assert.deepEqual(await list(''), { name: 'auth', tags: ['1', '2'] });
  assert.deepEqual(await list('?n=1'), { name: 'auth', tags: ['1'] });
  assert.deepEqual(await list('?n=1&last=1'), { name: 'auth', tags: ['2'] });
  const source = await makeSource(t, host);
  const moved = await source.fetch({ url: `oci://${host}/auth:1` }, never);
  assert.deepEqual(moved.bytes, Buffer.from(makeModule('new')));
  const kept = await source.fetch({ url: `oci://${host}/auth@${old.manifestDigest}` }, never);
  assert.deepEqual(kept.bytes, Buffer.from(makeModule('old')));
});

test('tags and blobs outlive a restart; blobs are read-only files of an OCI layout', async t => {
  const { host, cache } = await startRegistry(t);
  const bytes = makeModule('kept');
  await push(host, 'auth:1', bytes);
  const again = await openTestCache(cache.directory);
  const registry = createBuiltInRegistry({
    cache: again,
    authorize: anybody,
    audit: NO_AUDIT,
    clock: systemClock,
    random,
    log: silentLog,
  });
  const restarted = await startWeb(t, (request, response) => void registry.handle(request, response));
  const source = await makeSource(t, restarted.host);
  assert.deepEqual(
    (await source.fetch({ url: `${restarted.host}/auth:1` }, never)).bytes,
    Buffer.from(bytes),
  );
  assert.equal(await readFile(join(cache.directory, 'oci-layout'), 'utf8'), '{"imageLayoutVersion":"1.0.0"}');
  const blob = await stat(join(cache.directory, 'blobs', 'sha256', sha256Hex(bytes)));
  assert.equal(blob.mode & 0o777, 0o444);
});

test('uploads in chunks, in one request and by mount end in the same blob', async t => {
  const { host } = await startRegistry(t);
  const bytes = makeModule('upload');
  const digest = `sha256:${sha256Hex(bytes)}`;
  const base = `http://${host}/v2/up/blobs/uploads/`;
  const start = await fetch(base, { method: 'POST' });
  assert.equal(start.status, 202);
  const place = new URL(start.headers.get('location') ?? '', base).href;
  for (const [from, to] of [
    [0, 10],
    [10, bytes.length],
  ] as const) {
    const headers = { 'content-range': `${from}-${to - 1}` };
    const patched = await fetch(place, {
      method: 'PATCH',
      headers,
      body: Buffer.from(bytes.subarray(from, to)),
    });
    assert.equal(patched.status, 202);
    assert.equal(patched.headers.get('range'), `0-${to - 1}`);
  }
  const wrong = await fetch(place, { method: 'PATCH', headers: { 'content-range': '3-5' }, body: 'abc' });
  assert.equal(wrong.status, 416);
  assert.equal((await fetch(`${place}?digest=${digest}`, { method: 'PUT' })).status, 201);
  assert.equal(
    (await fetch(`${base}?digest=${digest}`, { method: 'POST', body: Buffer.from(bytes) })).status,
    201,
  );
  assert.equal((await fetch(`${base}?mount=${digest}&from=up`, { method: 'POST' })).status, 201);
  const got = await fetch(`http://${host}/v2/up/blobs/${digest}`);
  assert.deepEqual(Buffer.from(await got.arrayBuffer()), Buffer.from(bytes));
});

test('what is wrong is refused with an OCI error and changes nothing', async t => {
  const { host } = await startRegistry(t);
  const base = `http://${host}/v2`;
  const zeros = `sha256:${'0'.repeat(64)}`;
  const manifest = JSON.stringify({
    schemaVersion: 2,
    config: { mediaType: 'application/json', digest: zeros, size: 2 },
    layers: [],
  });
  const type = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };
  const cases: readonly [string, RequestInit, number, string][] = [
    ['/a/manifests/none', {}, 404, 'MANIFEST_UNKNOWN'],
    [`/a/blobs/${zeros}`, {}, 404, 'BLOB_UNKNOWN'],
    ['/a/tags/list', {}, 404, 'NAME_UNKNOWN'],
    ['/A%20b/tags/list', {}, 400, 'NAME_INVALID'],
    ['/a/blobs/sha256:1', {}, 400, 'DIGEST_INVALID'],
    ['/a/manifests/1', { method: 'PUT', headers: type, body: '{' }, 400, 'MANIFEST_INVALID'],
    ['/a/manifests/1', { method: 'PUT', headers: type, body: manifest }, 404, 'MANIFEST_BLOB_UNKNOWN'],
    [`/a/manifests/${zeros}`, { method: 'PUT', headers: type, body: manifest }, 400, 'DIGEST_INVALID'],
    [`/a/blobs/uploads/?digest=${zeros}`, { method: 'POST', body: 'x' }, 400, 'DIGEST_INVALID'],
    [`/a/blobs/uploads/${'0'.repeat(32)}`, { method: 'PATCH', body: 'x' }, 404, 'BLOB_UPLOAD_UNKNOWN'],
    ['/a/manifests/1', { method: 'DELETE' }, 404, 'MANIFEST_UNKNOWN'],
    ['/a/manifests/1', { method: 'POST' }, 405, 'UNSUPPORTED'],
  ];
  for (const [path, init, status, code] of cases) {
    const response = await fetch(base + path, init);
    const { errors } = (await response.json()) as { errors: { code: string }[] };
    assert.deepEqual([path, response.status, errors[0]?.code], [path, status, code]);
  }
  assert.equal((await fetch(`${base}/a/tags/list`)).status, 404);
});
