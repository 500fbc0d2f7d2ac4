import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type ModuleFetch, makeCapability, modulePath } from '../../src/model/module-fetch.ts';
import { PROBE_SHA256 } from '../../src/model/plugin-place.ts';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { silentLog } from '../../src/model/ports.ts';
import { startModuleServer } from '../../src/module/module-server.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { makeCache, makeModule, openTestCache } from '../module/actors.ts';
import { FakeClock } from '../store/fake-clock.ts';

const KEY = randomBytes(32);
const PROCESS = 'aaaaaaaaaaaaaaaa';
const TAG = '0123456789abcdef';
const SOME_BYTES = makeModule('served');

async function setUp(t: TestContext, bytes: Uint8Array = SOME_BYTES) {
  const cache = await makeCache(t);
  const clock = new FakeClock();
  const missing: string[] = [];
  const onMissing = (sha256: string): void => void missing.push(sha256);
  const listen = { host: '127.0.0.1', port: 0 };
  const open = { tls: undefined, checkCaller: () => undefined };
  const options = { listen, ...open, keys: () => [KEY], cache, onMissing, clock, log: silentLog };
  const server = stopAfter(t, await startModuleServer(options));
  const { sha256 } = await cache.write([bytes], { maxBytes: 1 << 26 });
  const events: ModuleFetch[] = [];
  server.feed.subscribe(event => events.push(event));
  const pathOf = (digest: string, key = KEY) =>
    modulePath(digest, makeCapability(key, 'edge-1', PROCESS, digest), TAG);
  const base = `http://127.0.0.1:${server.address.port}`;
  return { cache, clock, server, sha256, events, missing, pathOf, base };
}

const statesOf = (events: readonly ModuleFetch[]) => events.map(({ state }) => state);

test('a module comes whole, as it is, under the name of the process that was told to load it', async t => {
  const { base, pathOf, sha256, events } = await setUp(t);
  const response = await fetch(base + pathOf(sha256), { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(response.status, 200);
  assert.deepEqual(Buffer.from(await response.arrayBuffer()), Buffer.from(SOME_BYTES));
  assert.equal(response.headers.get('content-length'), String(SOME_BYTES.length));
  assert.equal(response.headers.get('content-type'), 'application/wasm');
  assert.equal(response.headers.get('content-encoding'), null);
  assert.match(response.headers.get('cache-control') ?? '', /immutable/);
  await until(() => events.length === 2, { what: 'the sent event' });
  assert.deepEqual(
    events.map(({ process, moduleSha256, tag, id, state }) => ({ process, moduleSha256, tag, id, state })),
    [
      { process: PROCESS, moduleSha256: sha256, tag: TAG, id: 1, state: 'started' },
      { process: PROCESS, moduleSha256: sha256, tag: TAG, id: 1, state: 'sent' },
    ],
  );
});

test('without a capability that our key made for this digest there is nothing, and no event', async t => {
  const { base, pathOf, sha256, events } = await setUp(t);
  const other = sha256Hex('other');
  const cases = [
    `/v1/modules/sha256/${sha256}`,
    `/v1/modules/sha256/${sha256}?cap=${'0'.repeat(64)}&tag=${TAG}`,
    pathOf(sha256, randomBytes(32)),
    pathOf(other).replace(other, sha256),
  ];
  for (const path of cases) assert.equal((await fetch(base + path)).status, 403, path);
  assert.deepEqual(events, []);
});

test('other paths, methods and encodings of a digest are refused', async t => {
  const { base, pathOf, sha256 } = await setUp(t);
  assert.equal((await fetch(`${base}/`)).status, 404);
  assert.equal((await fetch(base + pathOf(sha256).replace(sha256, sha256.toUpperCase()))).status, 404);
  assert.equal((await fetch(`${base}/v1/modules/sha256/..%2f..%2fx`)).status, 404);
  assert.equal((await fetch(base + pathOf(sha256), { method: 'POST' })).status, 405);
  const head = await fetch(base + pathOf(sha256), { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), String(SOME_BYTES.length));
});

test('an unknown digest is 404 and counts as failed', async t => {
  const { base, pathOf, events, missing } = await setUp(t);
  assert.equal((await fetch(base + pathOf(sha256Hex('unknown')))).status, 404);
  await until(() => events.length === 2, { what: 'the failed event' });
  assert.deepEqual(statesOf(events), ['started', 'failed']);
  assert.deepEqual(missing, [sha256Hex('unknown')]);
});

test('the module of a probe, which nobody has, is not missed', async t => {
  const { base, pathOf, events, missing } = await setUp(t);
  assert.equal((await fetch(base + pathOf(PROBE_SHA256))).status, 404);
  await until(() => events.length === 2, { what: 'the failed event' });
  assert.deepEqual(statesOf(events), ['started', 'failed']);
  assert.deepEqual(missing, []);
});

/** A client that asks and then reads nothing. */
function askWithoutReading(port: number, path: string) {
  const socket = connect(port, '127.0.0.1');
  socket.pause();
  socket.on('error', () => {});
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
  return socket;
}

test('a client that goes away in mid-download counts as failed', async t => {
  const { server, pathOf, sha256, events } = await setUp(t, randomBytes(24 << 20));
  const socket = askWithoutReading(server.address.port, pathOf(sha256));
  await until(() => events.length === 1, { what: 'the started event' });
  socket.destroy();
  await until(() => events.length === 2, { what: 'the failed event' });
  assert.deepEqual(statesOf(events), ['started', 'failed']);
});

test('a reader that stands still is cut off after 10 s and 1 s a megabyte, and counts as failed', async t => {
  const { server, clock, pathOf, sha256, events } = await setUp(t, randomBytes(24_000_000));
  const socket = askWithoutReading(server.address.port, pathOf(sha256));
  stopAfter(t, { stop: async () => void socket.destroy() });
  await until(() => events.length === 1 && clock.pending === 1, { what: 'the download to begin' });
  // The kernel takes some megabytes before the server notices that nobody reads.
  await until(
    () => {
      clock.advance(1_000);
      return events.length === 2;
    },
    { what: 'the failed event', everyMs: 5 },
  );
  assert.deepEqual(statesOf(events), ['started', 'failed']);
  assert.ok(clock.now() - 1_000_000 >= 34_000, 'it was given its time');
});

test('a slow reader that goes on reading gets everything, however long it takes', async t => {
  const bytes = randomBytes(24_000_000);
  // 34 s without progress would end it; the whole takes longer.
  const { clock, base, pathOf, sha256, events } = await setUp(t, bytes);
  const response = await fetch(base + pathOf(sha256));
  const reader = response.body!.getReader();
  let received = 0;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    received += next.value.length;
    clock.advance(200);
  }
  assert.equal(received, bytes.length);
  await until(() => events.at(-1)?.state === 'sent', { what: 'the sent event' });
  assert.equal(clock.pending, 0);
  assert.ok(clock.now() - 1_000_000 > 40_000);
});

test('a damaged blob is set aside at its first reading and never served', async t => {
  const first = await setUp(t);
  const path = join(first.cache.directory, 'blobs', 'sha256', first.sha256);
  await chmod(path, 0o644);
  await writeFile(path, Buffer.from(SOME_BYTES).fill(0xff, 20, 30));
  const cache = await openTestCache(first.cache.directory);
  const listen = { host: '127.0.0.1', port: 0 };
  const clock = new FakeClock();
  const missing: string[] = [];
  const onMissing = (sha256: string): void => void missing.push(sha256);
  const server = stopAfter(
    t,
    await startModuleServer({
      ...{ listen, tls: undefined, checkCaller: () => undefined },
      ...{ keys: () => [KEY], cache, onMissing, clock, log: silentLog },
    }),
  );
  const url = `http://127.0.0.1:${server.address.port}${first.pathOf(first.sha256)}`;
  assert.equal((await fetch(url)).status, 404);
  assert.deepEqual(missing, [first.sha256]);
  await cache.write([SOME_BYTES], { maxBytes: 1 << 20 });
  assert.equal((await fetch(url)).status, 200);
});

test('stop cuts what is under way and leaves nothing open', async t => {
  const { server, pathOf, sha256, events } = await setUp(t, randomBytes(24 << 20));
  const socket = askWithoutReading(server.address.port, pathOf(sha256));
  await until(() => events.length === 1, { what: 'the started event' });
  await server.stop();
  await until(() => events.length === 2, { what: 'the failed event' });
  socket.destroy();
  assert.equal(events[1]?.state, 'failed');
});

test('many who fetch at once get everything, each of them', async t => {
  const bytes = randomBytes(3_000_000);
  const { base, pathOf, sha256, events } = await setUp(t, bytes);
  const bodies = await Promise.all(
    Array.from({ length: 40 }, async () =>
      sha256Hex(Buffer.from(await (await fetch(base + pathOf(sha256))).arrayBuffer())),
    ),
  );
  assert.deepEqual(new Set(bodies), new Set([sha256]));
  await until(() => events.length === 80, { what: 'the sent events' });
  assert.equal(events.filter(({ state }) => state === 'sent').length, 40);
});
