/** Uploads to the built-in registry over HTTP: every way that the distribution specification knows. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { IDLE_MS } from '../../src/module/registry-uploads.ts';
import { until } from '../harness/wait.ts';
import { startRegistry, systemClock } from '../module/actors.ts';
import { callRegistry, pushBlob, toCode, toDigest } from '../module/registry-client.ts';

const BYTES = Buffer.from(Array.from({ length: 5000 }, (_, i) => i % 251));
const DIGEST = toDigest(BYTES);

async function start(t: TestContext) {
  const registry = await startRegistry(t);
  const call = callRegistry(registry.host);
  const open = async (query = '') => {
    const { status, headers } = await call('POST', `/v2/up/blobs/uploads/${query}`);
    assert.equal(status, 202);
    return headers.get('location') ?? '';
  };
  const isThere = async (digest = DIGEST) => {
    const { status, body, headers } = await call('GET', `/v2/up/blobs/${digest}`);
    assert.equal(status, 200);
    assert.equal(headers.get('docker-content-digest'), digest);
    assert.deepEqual(body, BYTES);
  };
  return { ...registry, call, open, isThere };
}

test('in one request, in two, in chunks and as a stream of unknown length', async t => {
  const { call, open, isThere } = await start(t);
  const one = await call('POST', `/v2/up/blobs/uploads/?digest=${DIGEST}`, { body: BYTES });
  assert.deepEqual([one.status, one.headers.get('location')], [201, `/v2/up/blobs/${DIGEST}`]);
  await isThere();
  const forget = () => call('DELETE', `/v2/up/blobs/${DIGEST}`);
  assert.equal((await forget()).status, 202);
  assert.equal((await call('PUT', `${await open()}?digest=${DIGEST}`, { body: BYTES })).status, 201);
  await isThere();
  await forget();
  const place = await open();
  const chunk = (from: number, to: number, method = 'PATCH', query = '') =>
    call(method, place + query, {
      headers: { 'content-range': `${from}-${to - 1}` },
      body: BYTES.subarray(from, to),
    });
  assert.equal((await chunk(0, 2000)).headers.get('range'), '0-1999');
  assert.equal((await chunk(2000, 4000)).status, 202);
  assert.equal((await chunk(4000, 5000, 'PUT', `?digest=${DIGEST}`)).status, 201);
  await isThere();
  await forget();
  const streamed = await open();
  const body = new Blob([BYTES.subarray(0, 3000), BYTES.subarray(3000)]).stream();
  const patched = await call('PATCH', streamed, { body, duplex: 'half' } as RequestInit);
  assert.deepEqual([patched.status, patched.headers.get('range')], [202, '0-4999']);
  assert.equal((await call('PUT', `${streamed}?digest=${DIGEST}`)).status, 201);
  await isThere();
});

test('a chunk out of order is refused with where the upload is, and the upload goes on', async t => {
  const { call, open, isThere } = await start(t);
  const place = await open();
  const patch = (range: string, bytes: Buffer, method = 'PATCH') =>
    call(method, method === 'PUT' ? `${place}?digest=${DIGEST}` : place, {
      headers: { 'content-range': range },
      body: bytes,
    });
  assert.equal((await patch('0-99', BYTES.subarray(0, 100))).status, 202);
  for (const method of ['PATCH', 'PUT']) {
    const refused = await patch('200-299', BYTES.subarray(200, 300), method);
    assert.deepEqual([refused.status, toCode(refused)], [416, 'BLOB_UPLOAD_INVALID']);
    assert.equal(refused.headers.get('range'), '0-99');
  }
  assert.equal(toCode(await patch('100-500', BYTES.subarray(100, 300))), 'SIZE_INVALID');
  assert.equal((await patch('nonsense', BYTES.subarray(100, 300))).status, 416);
  const where = await call('GET', place);
  assert.deepEqual([where.status, where.headers.get('range')], [204, '0-99']);
  assert.equal(where.headers.get('location'), place);
  assert.equal((await patch('100-4999', BYTES.subarray(100))).status, 202);
  assert.equal((await call('PUT', `${place}?digest=${DIGEST}`)).status, 201);
  await isThere();
});

test('an upload whose connection broke is taken up where it stands', async t => {
  const { host, call, open, isThere } = await start(t);
  const place = await open();
  const broken = request({ host: '127.0.0.1', port: host.split(':')[1], path: place, method: 'PATCH' });
  broken.setHeader('content-length', BYTES.length);
  broken.on('error', () => {});
  broken.write(BYTES.subarray(0, 1234));
  const stands = await until(
    async () => {
      const range = (await call('GET', place)).headers.get('range');
      return range !== '0-0' && range;
    },
    { what: 'bytes to arrive' },
  );
  broken.destroy();
  assert.equal(stands, '0-1233');
  await until(
    async () =>
      (await call('PATCH', place, { headers: { 'content-range': '1234-4999' }, body: BYTES.subarray(1234) }))
        .status === 202,
    { what: 'the broken request to let go' },
  );
  assert.equal((await call('PUT', `${place}?digest=${DIGEST}`)).status, 201);
  await isThere();
});

test('two requests cannot write one upload at once', async t => {
  const { host, call, open } = await start(t);
  const place = await open();
  const slow = request({ host: '127.0.0.1', port: host.split(':')[1], path: place, method: 'PATCH' });
  slow.on('error', () => {});
  slow.setHeader('content-length', 10);
  slow.write('abc');
  await until(async () => (await call('GET', place)).headers.get('range') === '0-2', { what: 'its bytes' });
  const second = await call('PATCH', place, { body: 'x' });
  assert.deepEqual([second.status, toCode(second)], [400, 'BLOB_UPLOAD_INVALID']);
  slow.destroy();
});

test('a wrong digest ends the upload and keeps nothing, whichever way it came', async t => {
  const { call, open, cache } = await start(t);
  for (const [algorithm, digest] of [
    ['sha256', `sha256:${'0'.repeat(64)}`],
    ['sha512', `sha512:${'0'.repeat(128)}`],
  ] as const) {
    const single = await call('PUT', `${await open(`?digest-algorithm=${algorithm}`)}?digest=${digest}`, {
      body: BYTES,
    });
    const place = await open();
    await call('PATCH', place, { body: BYTES });
    const chunked = await call('PUT', `${place}?digest=${digest}`);
    for (const refused of [single, chunked])
      assert.deepEqual([refused.status, toCode(refused)], [400, 'DIGEST_INVALID']);
    assert.equal((await call('GET', place)).status, 404);
    assert.equal((await call('HEAD', `/v2/up/blobs/${digest}`)).status, 404);
  }
  const kept = await readdir(join(cache.directory, 'blobs', 'sha256'));
  assert.deepEqual([kept, await readdir(join(cache.directory, 'uploads'))], [[], []]);
  assert.equal(toCode(await call('PUT', `${await open()}?digest=md5:1`)), 'DIGEST_INVALID');
  assert.equal(toCode(await call('POST', '/v2/up/blobs/uploads/?digest-algorithm=md5')), 'DIGEST_INVALID');
});

test('an upload is cancelled; it belongs to its repository', async t => {
  const { call, open, cache } = await start(t);
  const place = await open();
  assert.equal((await call('PATCH', place.replace('/up/', '/other/'), { body: 'x' })).status, 404);
  const cancelled = await call('DELETE', place);
  assert.equal(cancelled.status, 204);
  assert.equal(toCode(await call('PATCH', place, { body: 'x' })), 'BLOB_UPLOAD_UNKNOWN');
  assert.deepEqual(await readdir(join(cache.directory, 'uploads')), []);
});

test('uploads that nobody goes on with give way: after an hour, and the oldest of too many', async t => {
  let now = 0;
  const { host, cache } = await startRegistry(t, undefined, { clock: { ...systemClock, now: () => now } });
  const call = callRegistry(host);
  const open = async () =>
    (await call('POST', '/v2/up/blobs/uploads/')).headers.get('location') ?? assert.fail('no location');
  const old = await open();
  now = IDLE_MS + 1;
  const first = await open();
  assert.equal((await call('GET', old)).status, 404);
  const more = [];
  for (let i = 0; i < 64; i++) more.push(await open());
  assert.equal((await call('GET', first)).status, 404);
  assert.equal((await call('GET', more[0]!)).status, 204);
  assert.equal((await readdir(join(cache.directory, 'uploads'))).length, 64);
});

test('a blob that is too big is refused before it is sent, and the answer arrives', async t => {
  const { host } = await start(t);
  const status = await new Promise((resolve, reject) => {
    const put = request({ host: '127.0.0.1', port: host.split(':')[1], method: 'POST' });
    put.path = `/v2/up/blobs/uploads/?digest=${DIGEST}`;
    put.setHeader('content-length', (256 << 20) + 1);
    put.on('error', reject).on('response', response => {
      resolve(response.statusCode);
      put.off('error', reject).on('error', () => {});
      put.destroy();
    });
    put.write('x');
  });
  assert.equal(status, 413);
});

test('a blob is mounted from the repository that has it, or from any; elsewhere an upload begins', async t => {
  const { call, cache } = await start(t);
  await pushBlob(call, 'from', BYTES);
  const mount = (query: string) => call('POST', `/v2/up/blobs/uploads/?mount=${query}`);
  assert.equal((await mount(`${DIGEST}&from=nobody`)).status, 202);
  assert.equal((await call('HEAD', `/v2/up/blobs/${DIGEST}`)).status, 404);
  const mounted = await mount(`${DIGEST}&from=from`);
  assert.deepEqual([mounted.status, mounted.headers.get('location')], [201, `/v2/up/blobs/${DIGEST}`]);
  assert.equal((await call('HEAD', `/v2/up/blobs/${DIGEST}`)).status, 200);
  await call('DELETE', `/v2/up/blobs/${DIGEST}`);
  assert.equal((await mount(DIGEST)).status, 201);
  // What only the module cache has may be private to the registry that it came from.
  const secret = Buffer.from('fetched with credentials');
  await cache.write([secret], { maxBytes: 100 });
  assert.equal((await mount(toDigest(secret))).status, 202);
  assert.equal((await call('HEAD', `/v2/up/blobs/${toDigest(secret)}`)).status, 404);
});

test('sha512 names the same bytes', async t => {
  const { call, isThere } = await start(t);
  const digest = toDigest(BYTES, 'sha512');
  const open = await call('POST', '/v2/up/blobs/uploads/?digest-algorithm=sha512');
  const place = open.headers.get('location') ?? '';
  await call('PATCH', place, { body: BYTES.subarray(0, 100) });
  const put = await call('PUT', `${place}?digest=${digest}`, { body: BYTES.subarray(100) });
  assert.deepEqual([put.status, put.headers.get('docker-content-digest')], [201, digest]);
  await isThere(digest);
  assert.equal((await call('HEAD', `/v2/up/blobs/${DIGEST}`)).status, 404);
  const again = await call('POST', `/v2/up/blobs/uploads/?digest=${digest}`, { body: BYTES });
  assert.equal(again.status, 201);
});
