import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createModuleSource, type ModuleSourceOptions } from '../../src/module/fetch-module.ts';
import { TIME_LIMITS } from '../../src/module/http-client.ts';
import { ModuleError } from '../../src/module/module-error.ts';
import { buildArtifact } from '../../src/module/push-layout.ts';
import { toDigest } from '../../src/module/verify-digest.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { makeCache, makeModule, SHORT_LIMITS, sourceOptions, startWeb } from '../module/actors.ts';

const never = new AbortController().signal;
const BYTES = makeModule('bounds');
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const TAR = 'application/vnd.oci.image.layer.v1.tar+gzip';
const config = {
  mediaType: 'application/vnd.oci.image.config.v1+json',
  digest: toDigest(Buffer.from('{}')),
  size: 2,
};

const descriptor = (size: number, mediaType = TAR, seed = '0') => ({
  mediaType,
  digest: `sha256:${createHash('sha256').update(seed).digest('hex')}`,
  size,
});

async function makeSource(t: TestContext, hosts: readonly string[], more: Partial<ModuleSourceOptions> = {}) {
  const source = createModuleSource(await makeCache(t), sourceOptions(hosts, more));
  stopAfter(t, { stop: () => source.close() });
  return source;
}

/** A registry of one manifest; blobs are asked for in vain. */
async function pull(t: TestContext, mediaType: string, manifest: string | object) {
  const web = await startWeb(t, (request, response) => {
    if (!request.url?.includes('/manifests/')) return void response.writeHead(404).end();
    response.writeHead(200, { 'content-type': mediaType });
    response.end(typeof manifest === 'string' ? manifest : JSON.stringify(manifest));
  });
  const source = await makeSource(t, [web.host]);
  const error = await source.fetch({ url: `${web.host}/auth:1` }, never).then(
    () => assert.fail('it was taken'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof ModuleError, String(error));
  const blobs = web.requests.filter(({ line }) => line.includes('/blobs/')).length;
  return { code: error.code, blobs, transient: error.transient };
}

const manifestOf = (layers: readonly object[]) => ({
  schemaVersion: 2,
  mediaType: OCI_MANIFEST,
  config,
  layers,
});
const many = (count: number, size: number) =>
  Array.from({ length: count }, (_, i) => descriptor(size, TAR, String(i)));

const cases: readonly [string, string, string | object, string][] = [
  ['a manifest of 4 MiB and a byte', OCI_MANIFEST, ' '.repeat((4 << 20) + 1), 'too-big'],
  ['101 layers', OCI_MANIFEST, manifestOf(many(101, 1)), 'bad-manifest'],
  [
    '101 images in an index',
    OCI_INDEX,
    { schemaVersion: 2, mediaType: OCI_INDEX, manifests: many(101, 1) },
    'bad-manifest',
  ],
  [
    'a module of 32 MiB',
    OCI_MANIFEST,
    manifestOf([descriptor(32 << 20, 'application/wasm')]),
    'module-too-big',
  ],
  ['a layer of more than 256 MiB', OCI_MANIFEST, manifestOf([descriptor((256 << 20) + 1)]), 'too-big'],
  ['layers of more than 512 MiB together', OCI_MANIFEST, manifestOf(many(3, 200 << 20)), 'too-big'],
  ['a size that is none', OCI_MANIFEST, manifestOf([descriptor(-1)]), 'bad-manifest'],
];
for (const [what, mediaType, manifest, code] of cases)
  test(`${what}: refused before a layer is asked for`, async t => {
    assert.deepEqual(await pull(t, mediaType, manifest), { code, blobs: 0, transient: false });
  });

test('every spelling of an address that is not public is refused, also behind a redirect', async t => {
  const inner = await startWeb(t, (_request, response) => void response.end(BYTES));
  const port = inner.host.split(':')[1];
  const hosts = [
    '127.0.0.1',
    '127.1',
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.0.0.1.',
    '0.0.0.0',
    '[::1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[64:ff9b::7f00:1]',
    'localhost',
    'LOCALHOST',
    '10.0.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '[fe80::1]',
    '[fd00:ec2::254]',
  ];
  const redirecting = await startWeb(t, (request, response) => {
    const host = hosts[Number(request.url?.slice(1))];
    response.writeHead(302, { location: `http://${host}:${port}/plugin.wasm` }).end();
  });
  const source = await makeSource(t, [], { allowPrivateHosts: [redirecting.host] });
  for (const [i, host] of hosts.entries())
    for (const url of [`http://${host}:${port}/plugin.wasm`, `http://${redirecting.host}/${i}`])
      await assert.rejects(source.fetch({ url }, never), { code: 'address-refused' }, `${host} by ${url}`);
  assert.equal(inner.requests.length, 0, 'no connection was made');
});

test('a registry may not lead a pull into the private network either', async t => {
  const inner = await startWeb(t, (_request, response) => void response.end(BYTES));
  const { blobs, manifests } = buildArtifact(BYTES, { layout: 'cncf', annotations: {}, createdMs: 0 });
  const config = blobs.find(blob => toDigest(blob) !== toDigest(Buffer.from(BYTES)));
  const registry = await startWeb(t, (request, response) => {
    if (request.url?.includes('/manifests/')) {
      response.writeHead(200, { 'content-type': OCI_MANIFEST }).end(manifests[0]?.bytes);
    } else if (request.url?.includes(toDigest(Buffer.from(BYTES)))) {
      response.writeHead(307, { location: `https://localhost:${inner.host.split(':')[1]}/blob` }).end();
    } else response.end(config);
  });
  const source = await makeSource(t, [registry.host]);
  await assert.rejects(source.fetch({ url: `${registry.host}/auth:1` }, never), { code: 'address-refused' });
  assert.equal(inner.requests.length, 0);
});

test('a body that drips is ended by the limit for all of it', async t => {
  const web = await startWeb(t, (_request, response) => {
    response.writeHead(200, { 'content-length': BYTES.length });
    const timer = setInterval(() => response.write(BYTES.subarray(0, 1)), 50);
    response.on('close', () => clearInterval(timer));
  });
  const timeLimits = { ...SHORT_LIMITS, totalMs: 600 };
  const source = await makeSource(t, [], { allowPrivateHosts: [web.host], timeLimits });
  const startedAt = performance.now();
  await assert.rejects(source.fetch({ url: `http://${web.host}/plugin.wasm` }, never), (error: unknown) => {
    assert.ok(error instanceof ModuleError && error.code === 'registry-unreachable' && error.transient);
    return /time limit/.test(error.message);
  });
  assert.ok(performance.now() - startedAt < 5_000);
});

test('no manifest is waited for longer than an apply waits', () => {
  // `attache apply` leaves after 60 s, and looks every so often.
  assert.ok(TIME_LIMITS.answerMs <= 50_000);
  assert.ok(TIME_LIMITS.firstByteMs < TIME_LIMITS.answerMs);
});

/** Two registries of the same module, of which one can be told to fail; and how often the module was asked for. */
async function startTwins(t: TestContext, fail: () => Promise<boolean>) {
  const { blobs, manifests } = buildArtifact(BYTES, { layout: 'cncf', annotations: {}, createdMs: 0 });
  const digest = toDigest(Buffer.from(BYTES));
  const start = (isFailing: () => Promise<boolean>) =>
    startWeb(t, async (request, response) => {
      if (request.url?.includes('/manifests/'))
        return void response.writeHead(200, { 'content-type': OCI_MANIFEST }).end(manifests[0]?.bytes);
      const isModule = request.url?.includes(digest) === true;
      if (isModule && (await isFailing())) return void response.writeHead(503).end();
      response.end(isModule ? BYTES : blobs.find(blob => request.url?.includes(toDigest(blob))));
    });
  const [bad, good] = await Promise.all([start(fail), start(async () => false)]);
  const count = (host: typeof bad) => host.requests.filter(({ line }) => line.includes(digest)).length;
  const source = await makeSource(t, [bad.host, good.host]);
  const fetch = (host: string) => source.fetch({ url: `${host}/auth:1` }, never);
  return { bad, good, count, fetch };
}

test('one digest is downloaded once, however many want it, from wherever', async t => {
  const gate = Promise.withResolvers<void>();
  const { bad, good, count, fetch } = await startTwins(t, async () => {
    await gate.promise;
    return false;
  });
  const first = fetch(bad.host);
  await until(() => count(bad) === 1, { what: 'the download to begin' });
  const others = [fetch(bad.host), fetch(good.host), fetch(good.host)];
  await until(() => good.requests.length >= 2, { what: 'the others to know what they want' });
  // They would ask now if they asked.
  await delay(50);
  gate.resolve();
  for (const { bytes } of await Promise.all([first, ...others])) assert.deepEqual(bytes, Buffer.from(BYTES));
  assert.deepEqual([count(bad), count(good)], [1, 0]);
});

test('a download that somebody else began, and that failed, is made from the own source', async t => {
  const gate = Promise.withResolvers<void>();
  const { bad, good, count, fetch } = await startTwins(t, async () => {
    await gate.promise;
    return true;
  });
  const first = fetch(bad.host);
  await until(() => count(bad) === 1, { what: 'the download to begin' });
  const second = fetch(good.host);
  await until(() => good.requests.length >= 1, { what: 'the other to know what it wants' });
  await delay(50);
  gate.resolve();
  await assert.rejects(first, { code: 'registry-error' });
  assert.deepEqual((await second).bytes, Buffer.from(BYTES));
  assert.equal(count(good), 1);
});
