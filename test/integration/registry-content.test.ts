/** What the built-in registry holds, over HTTP: manifests, tags, referrers, lists, ranges, deletes, rights. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { LOOSE_MS } from '../../src/module/registry-loose.ts';
import { openTestCache, startRegistry, systemClock } from '../module/actors.ts';
import {
  callRegistry,
  EMPTY,
  pushBlob,
  pushImage,
  pushIndex,
  putManifest,
  toCode,
  toDigest,
} from '../module/registry-client.ts';

const LAYER = Buffer.from('a layer');
const SIGNATURE = 'application/vnd.example.signature';
const text = (value: string) => Buffer.from(value);

async function start(t: TestContext) {
  const registry = await startRegistry(t);
  return { ...registry, call: callRegistry(registry.host) };
}

test('a manifest is served byte for byte by tag and digest, and not again to who has it', async t => {
  const { call } = await start(t);
  const image = await pushImage(call, 'team/auth', '1', LAYER);
  assert.equal(image.answer.headers.get('location'), `/v2/team/auth/manifests/${image.digest}`);
  for (const reference of ['1', image.digest, image.digest.replace(':', '%3A')]) {
    const got = await call('GET', `/v2/team/auth/manifests/${reference}`);
    assert.equal(toDigest(got.body), image.digest);
    assert.equal(got.headers.get('content-type'), image.mediaType);
    const head = await call('HEAD', `/v2/team/auth/manifests/${reference}`);
    assert.equal(head.headers.get('content-length'), String(image.size));
    assert.equal(head.headers.get('docker-content-digest'), image.digest);
    const headers = { 'if-none-match': `"${image.digest}"` };
    assert.equal((await call('GET', `/v2/team/auth/manifests/${reference}`, { headers })).status, 304);
  }
  assert.equal((await call('GET', '/v2/team/other/manifests/1')).status, 404);
});

test('ranges of a blob', async t => {
  const { call } = await start(t);
  const { digest } = await pushBlob(call, 'r', text('0123456789'));
  const get = async (range: string, more: Record<string, string> = {}) => {
    const { status, body, headers } = await call('GET', `/v2/r/blobs/${digest}`, {
      headers: { range, ...more },
    });
    return [status, status === 416 ? '' : body.toString(), headers.get('content-range')];
  };
  assert.deepEqual(await get('bytes=2-4'), [206, '234', 'bytes 2-4/10']);
  assert.deepEqual(await get('bytes=7-'), [206, '789', 'bytes 7-9/10']);
  assert.deepEqual(await get('bytes=-3'), [206, '789', 'bytes 7-9/10']);
  assert.deepEqual(await get('bytes=8-99'), [206, '89', 'bytes 8-9/10']);
  assert.deepEqual(await get('bytes=10-'), [416, '', 'bytes */10']);
  assert.deepEqual(await get('bytes=1-2,4-5'), [200, '0123456789', null]);
  assert.deepEqual(await get('bytes=2-4', { 'if-range': '"other"' }), [200, '0123456789', null]);
  assert.deepEqual(await get('bytes=2-4', { 'if-range': `"${digest}"` }), [206, '234', 'bytes 2-4/10']);
});

test('a manifest may name nothing that its repository does not hold', async t => {
  const { call } = await start(t);
  const elsewhere = await pushImage(call, 'other', '1', LAYER);
  const config = await pushBlob(call, 'a', EMPTY);
  const put = async (manifest: object) => toCode((await putManifest(call, 'a', '1', manifest)).answer);
  const layer = { mediaType: 'application/wasm', digest: elsewhere.layer, size: 7 };
  assert.equal(await put({ schemaVersion: 2, config, layers: [layer] }), 'MANIFEST_BLOB_UNKNOWN');
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json' };
  assert.equal(await put({ ...index, manifests: [elsewhere] }), 'MANIFEST_BLOB_UNKNOWN');
  assert.equal(await put({ schemaVersion: 1, config, layers: [] }), 'MANIFEST_INVALID');
  assert.equal(await put({ schemaVersion: 2, config, layers: [], subject: {} }), 'MANIFEST_INVALID');
  assert.equal(await put({ schemaVersion: 2, layers: [] }), 'MANIFEST_INVALID');
  const foreign = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
  const { answer } = await putManifest(call, 'a', '1', {
    schemaVersion: 2,
    config,
    layers: [{ ...layer, mediaType: foreign }],
  });
  assert.equal(answer.status, 201);
  const tooBig = await call('PUT', '/v2/a/manifests/2', { body: Buffer.alloc((4 << 20) + 1, 32) });
  assert.deepEqual([tooBig.status, toCode(tooBig)], [413, 'SIZE_INVALID']);
});

test('a push by digest sets as many tags as it names; one by sha512 is found by it', async t => {
  const { call } = await start(t);
  await pushImage(call, 'a', 'first', LAYER);
  const { body } = await call('GET', '/v2/a/manifests/first');
  const digest = toDigest(body, 'sha512');
  const put = await call('PUT', `/v2/a/manifests/${digest}?tag=1.2&tag=1`, {
    headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
    body,
  });
  assert.deepEqual([put.status, put.headers.get('oci-tag')], [201, '1.2, 1']);
  assert.equal(put.headers.get('docker-content-digest'), digest);
  for (const reference of ['1.2', '1', digest])
    assert.deepEqual((await call('GET', `/v2/a/manifests/${reference}`)).body, body);
  const wrong = await call('PUT', `/v2/a/manifests/${digest}`, { body: '{}' });
  assert.deepEqual([wrong.status, toCode(wrong)], [400, 'DIGEST_INVALID']);
  const odd = await call('PUT', `/v2/a/manifests/${digest}?tag=a/b`, { body });
  assert.equal(odd.status, 400);
});

test('referrers: of a subject that may come later, by type, and gone when they are deleted', async t => {
  const { call } = await start(t);
  const list = async (query = '') => {
    const answer = await call('GET', `/v2/a/referrers/${subject.digest}${query}`);
    assert.equal(answer.headers.get('content-type'), 'application/vnd.oci.image.index.v1+json');
    return { ...answer.json(), filters: answer.headers.get('oci-filters-applied') };
  };
  const image = await pushImage(call, 'subject', '1', LAYER);
  const subject = { mediaType: image.mediaType, digest: image.digest, size: image.size };
  assert.deepEqual((await list()).manifests, []);
  const signature = await pushImage(call, 'a', 'signed', text('signature'), {
    subject,
    artifactType: SIGNATURE,
    annotations: { by: 'ann' },
  });
  assert.equal(signature.answer.headers.get('oci-subject'), image.digest);
  const plain = await pushImage(call, 'a', 'plain', text('sbom'), { subject });
  const { manifests } = await list();
  assert.deepEqual(
    new Set(manifests.map((one: { digest: string }) => one.digest)),
    new Set([signature.digest, plain.digest]),
  );
  const filtered = await list(`?artifactType=${encodeURIComponent(SIGNATURE)}`);
  assert.equal(filtered.filters, 'artifactType');
  assert.deepEqual(filtered.manifests, [
    {
      mediaType: signature.mediaType,
      digest: signature.digest,
      size: signature.size,
      artifactType: SIGNATURE,
      annotations: { by: 'ann' },
    },
  ]);
  const byConfig = await list('?artifactType=application/vnd.oci.empty.v1%2Bjson');
  assert.deepEqual(
    byConfig.manifests.map((one: { digest: string }) => one.digest),
    [plain.digest],
  );
  await call('DELETE', `/v2/a/manifests/${plain.digest}`);
  assert.equal((await list()).manifests.length, 1);
  assert.equal((await call('GET', '/v2/a/referrers/sha256:1')).status, 400);
  assert.deepEqual((await call('GET', `/v2/nobody/referrers/${image.digest}`)).json().manifests, []);
});

test('more referrers than a manifest may hold come in pages', async t => {
  const { call } = await start(t);
  const subject = await pushImage(call, 'a', '1', LAYER);
  const digests = new Set<string>();
  for (let i = 0; i < 3; i++) {
    const annotations = { note: `${i}`.repeat(2_000_000) };
    digests.add((await pushImage(call, 'a', `r${i}`, LAYER, { subject, annotations })).digest);
  }
  const seen: string[] = [];
  for (let path: string | undefined = `/v2/a/referrers/${subject.digest}`; path !== undefined; ) {
    const answer = await call('GET', path);
    assert.ok(answer.body.length <= 4 << 20);
    seen.push(...answer.json().manifests.map((one: { digest: string }) => one.digest));
    path = /^<(.*)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1];
  }
  assert.deepEqual([seen.length, new Set(seen)], [3, digests]);
});

test('tags and repositories are listed in order and in pages', async t => {
  const { call } = await start(t);
  for (const name of ['b/x', 'a'])
    for (const tag of ['2', '10', 'B', 'a']) await pushImage(call, name, tag, LAYER);
  const tags = async (query: string) => {
    const answer = await call('GET', `/v2/a/tags/list${query}`);
    return [answer.json().tags, answer.headers.get('link')];
  };
  assert.deepEqual(await tags(''), [['10', '2', 'B', 'a'], null]);
  assert.deepEqual(await tags('?n=2'), [['10', '2'], '</v2/a/tags/list?n=2&last=2>; rel="next"']);
  assert.deepEqual(await tags('?n=2&last=2'), [['B', 'a'], null]);
  assert.deepEqual(await tags('?last=2'), [['B', 'a'], null]);
  assert.deepEqual(await tags('?n=0'), [[], null]);
  const wrong = await call('GET', '/v2/a/tags/list?n=-1');
  assert.deepEqual([wrong.status, toCode(wrong)], [400, 'PAGINATION_NUMBER_INVALID']);
  const first = await call('GET', '/v2/_catalog?n=1');
  assert.deepEqual(first.json(), { repositories: ['a'] });
  assert.equal(first.headers.get('link'), '</v2/_catalog?n=1&last=a>; rel="next"');
  assert.deepEqual((await call('GET', '/v2/_catalog?last=a')).json(), { repositories: ['b/x'] });
});

test('a deleted tag leaves the manifest, a deleted manifest takes its tags; the blobs can then be deleted', async t => {
  const { call, cache } = await start(t);
  const image = await pushImage(call, 'a', '1', LAYER);
  await pushImage(call, 'a', '2', LAYER);
  const status = async (method: string, path: string) => (await call(method, `/v2/a/${path}`)).status;
  assert.equal(await status('DELETE', 'manifests/1'), 202);
  assert.equal(await status('DELETE', 'manifests/1'), 404);
  assert.equal(await status('GET', `manifests/${image.digest}`), 200);
  const refused = await call('DELETE', `/v2/a/blobs/${image.layer}`);
  assert.deepEqual([refused.status, toCode(refused)], [405, 'UNSUPPORTED']);
  assert.equal(await status('DELETE', `manifests/${image.digest}`), 202);
  for (const reference of ['2', image.digest])
    assert.equal(await status('GET', `manifests/${reference}`), 404);
  assert.equal(await status('DELETE', `manifests/${image.digest}`), 404);
  assert.equal(await status('HEAD', `blobs/${image.layer}`), 200);
  for (const digest of [image.layer, image.config])
    assert.equal(await status('DELETE', `blobs/${digest}`), 202);
  assert.equal(await status('HEAD', `blobs/${image.layer}`), 404);
  assert.equal(await status('DELETE', `blobs/${image.layer}`), 404);
  assert.equal(await status('GET', 'tags/list'), 404);
  assert.equal(await cache.has(image.layer.slice(7)), true, "the bytes are the cache's");
});

test('what an index holds cannot be deleted before it', async t => {
  const { call } = await start(t);
  const child = await pushImage(call, 'a', '1', LAYER);
  const index = await pushIndex(call, 'a', 'all', [child]);
  const early = await call('DELETE', `/v2/a/manifests/${child.digest}`);
  assert.deepEqual([early.status, toCode(early)], [405, 'UNSUPPORTED']);
  assert.equal((await call('DELETE', '/v2/a/manifests/1')).status, 202);
  for (const { digest } of [index, child])
    assert.equal((await call('DELETE', `/v2/a/manifests/${digest}`)).status, 202);
});

test('deleting in one repository leaves the others whole', async t => {
  const { call } = await start(t);
  const one = await pushImage(call, 'one', '1', LAYER);
  await pushImage(call, 'two', '1', LAYER);
  await call('DELETE', `/v2/one/manifests/${one.digest}`);
  await call('DELETE', `/v2/one/blobs/${one.layer}`);
  assert.equal((await call('GET', `/v2/one/blobs/${one.layer}`)).status, 404);
  assert.deepEqual((await call('GET', `/v2/two/blobs/${one.layer}`)).body, LAYER);
  assert.equal((await call('GET', `/v2/two/manifests/${one.digest}`)).status, 200);
});

test('all of it outlives a restart, a damaged manifest and a damaged blob apart', async t => {
  const { call, cache, registry } = await start(t);
  const image = await pushImage(call, 'team/a', '1', LAYER);
  const loose = await pushBlob(call, 'team/a', text('no manifest names it'));
  const broken = await pushImage(call, 'team/a', 'broken', text('broken'));
  const held = await registry.held();
  for (const digest of [image.digest, image.layer]) assert.ok(held.named.has(digest.slice(7)));
  assert.ok(held.loose.has(loose.digest.slice(7)) && !held.named.has(loose.digest.slice(7)));
  const file = join(cache.directory, 'blobs', 'sha256', broken.digest.slice(7));
  const { chmod, writeFile } = await import('node:fs/promises');
  await chmod(file, 0o600);
  await writeFile(file, 'damaged');
  await writeFile(join(cache.directory, 'index.json.0000.tmp'), 'half');
  const again = await openTestCache(cache.directory);
  const restarted = await startRegistry(t, undefined, { cache: again });
  const callAgain = callRegistry(restarted.host);
  assert.equal((await callAgain('GET', '/v2/team/a/manifests/1')).status, 200);
  assert.equal((await callAgain('GET', `/v2/team/a/blobs/${loose.digest}`)).status, 200);
  assert.equal((await callAgain('GET', '/v2/team/a/manifests/broken')).status, 404);
  assert.deepEqual((await callAgain('GET', '/v2/team/a/tags/list')).json().tags, ['1', 'broken']);
  assert.deepEqual(
    (await readdir(cache.directory)).filter(name => name.endsWith('.tmp')),
    [],
  );
  assert.equal((await pushImage(callAgain, 'team/a', 'broken', text('broken'))).digest, broken.digest);
  assert.equal((await callAgain('GET', '/v2/team/a/manifests/broken')).status, 200);
});

test('a blob that no manifest names leaves its repository after a week', async t => {
  let now = 1_000;
  const { host } = await startRegistry(t, undefined, { clock: { ...systemClock, now: () => now } });
  const call = callRegistry(host);
  const image = await pushImage(call, 'a', '1', LAYER);
  const loose = await pushBlob(call, 'a', text('loose'));
  now += LOOSE_MS;
  assert.equal((await call('HEAD', `/v2/a/blobs/${loose.digest}`)).status, 404);
  assert.equal((await call('HEAD', `/v2/a/blobs/${image.layer}`)).status, 200);
});

test('what a deleted manifest named stays for a week from then, whenever it was pushed', async t => {
  let now = 1_000;
  const { host } = await startRegistry(t, undefined, { clock: { ...systemClock, now: () => now } });
  const call = callRegistry(host);
  const { layer, digest } = await pushImage(call, 'a', '1', LAYER);
  now += LOOSE_MS / 2 - 1;
  assert.equal((await call('DELETE', `/v2/a/manifests/${digest}`)).status, 202);
  now += LOOSE_MS - 1;
  assert.equal((await call('HEAD', `/v2/a/blobs/${layer}`)).status, 200);
  now += 1;
  assert.equal((await call('HEAD', `/v2/a/blobs/${layer}`)).status, 404);
});
