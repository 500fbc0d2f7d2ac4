/** What becomes of a module that is damaged, deleted or does not fit on the control plane's own disk. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { makeCapability, modulePath } from '../../src/model/module-fetch.ts';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { silentLog } from '../../src/model/ports.ts';
import type { ModuleFacts } from '../../src/model/revision.ts';
import { startModuleKeeper } from '../../src/module/bring-back.ts';
import { keepCollected } from '../../src/module/collect-garbage.ts';
import { startModuleReconciler } from '../../src/module/module-reconciler.ts';
import { startModuleServer } from '../../src/module/module-server.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { revisionKey } from '../../src/store/record-kinds.ts';
import { createSeal } from '../../src/store/seal.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { makeAssignment, makeConfig, makeSide, PLUGIN } from '../model/records.ts';
import {
  makeCache,
  makeDirectory,
  makeModule,
  openTestCache,
  random,
  sourceOptions,
  startRegistry,
  systemClock,
} from '../module/actors.ts';

const KEY = randomBytes(32);
const seal = createSeal(Buffer.alloc(32, 1), random);

/** A plugin whose revision 1 came from a registry and is live, its module in the cache, and an Envoy's URL of it. */
async function setUp(t: TestContext, layout: 'cncf' | 'compat' = 'cncf') {
  const bytes = makeModule('kept');
  const sha256 = sha256Hex(Buffer.from(bytes));
  let isDown = false;
  const registry = await startRegistry(t, (_request, response) => {
    if (isDown) response.writeHead(404).end();
    return isDown;
  });
  const url = `oci://${registry.host}/auth:1`;
  const { manifestDigest } = await pushModule({
    bytes,
    reference: `${registry.host}/auth:1`,
    layout,
    insecureRegistries: [],
    dockerConfigPath: undefined,
  });
  const cache = await makeCache(t);
  await cache.write([bytes], { maxBytes: 1 << 20 });
  const store = createMemoryStore();
  const module: ModuleFacts = {
    sha256,
    sizeBytes: bytes.length,
    url,
    referenceDigest: manifestDigest,
    layout,
    abi: '0.2.1',
    importCount: 1,
  };
  await store.put('Revision', revisionKey(PLUGIN, 1), {
    plugin: PLUGIN,
    number: 1,
    contentHash: 'h',
    configHash: 'c',
    config: makeConfig(),
    module,
    createdAt: 1,
  });
  await store.put('Assignment', PLUGIN, makeAssignment({ base: makeSide(1) }));
  const { clock: _clock, ...sources } = sourceOptions([registry.host]);
  const ports = { clock: systemClock, random, log: silentLog };
  const keeper = stopAfter(t, startModuleKeeper({ store, seal, cache, sources, ...ports }));
  const server = stopAfter(
    t,
    await startModuleServer({
      listen: { host: '127.0.0.1', port: 0 },
      tls: undefined,
      checkCaller: () => undefined,
      keys: () => [KEY],
      cache,
      onMissing: digest => keeper.bring(digest),
      ...ports,
    }),
  );
  const path = modulePath(
    sha256,
    makeCapability(KEY, 'edge-1', 'aaaaaaaaaaaaaaaa', sha256),
    '0123456789abcdef',
  );
  const get = () => fetch(`http://127.0.0.1:${server.address.port}${path}`);
  const file = join(cache.directory, 'blobs', 'sha256', sha256);
  const events = async () => (await store.list('Event')).records.map(({ value }) => value);
  const setDown = (down: boolean): void => {
    isDown = down;
  };
  return { bytes, sha256, cache, store, keeper, get, file, events, setDown };
}

/** Whole, or an error: other bytes are the one thing that must not come. */
async function isServed(get: () => Promise<Response>, bytes: Uint8Array): Promise<boolean> {
  const response = await get();
  const body = Buffer.from(await response.arrayBuffer());
  if (response.status === 200) assert.deepEqual(body, Buffer.from(bytes));
  else assert.equal(response.status, 404);
  return response.status === 200;
}

for (const layout of ['cncf', 'compat'] as const)
  test(`flipped bytes on disk are not served, and the module is fetched again by itself (${layout})`, async t => {
    const { bytes, get, file, events, setDown } = await setUp(t, layout);
    assert.ok(await isServed(get, bytes));
    setDown(true);
    await chmod(file, 0o644);
    await writeFile(file, Buffer.from(bytes).fill(0xff, 20, 30));
    assert.equal(await isServed(get, bytes), false);
    await until(async () => (await events()).length === 1, { what: 'the event' });
    assert.equal((await events())[0]?.type, 'module.lost');
    assert.match((await events())[0]?.message ?? '', /cannot be fetched \(module-not-found\)/);
    setDown(false);
    await until(() => isServed(get, bytes), { what: 'the module to be served again' });
    await until(async () => (await events()).some(({ type }) => type === 'module.restored'), {
      what: 'it is told',
    });
  });

test('a module that was deleted by hand is fetched again, one that nobody needs is not', async t => {
  const { bytes, cache, get, file, sha256, store, keeper, events } = await setUp(t);
  await rm(file, { force: true });
  await until(async () => (await isServed(get, bytes)) && (await events()).length === 1, {
    what: 'the module to be served again',
  });
  await store.delete('Assignment', PLUGIN);
  await rm(file, { force: true });
  assert.equal(await isServed(get, bytes), false);
  await keeper.stop();
  assert.equal(await cache.has(sha256), false);
  assert.equal((await events()).length, 1);
});

test('going back to a revision whose module had to make room fetches it at once', async t => {
  const { bytes, cache, get, sha256, store } = await setUp(t);
  await until(() => isServed(get, bytes), { what: 'the module to be served' });
  await store.put('Assignment', PLUGIN, makeAssignment({ base: makeSide(null) }));
  assert.equal(await cache.remove(sha256, Date.now()), true);
  await store.put('Assignment', PLUGIN, makeAssignment({ base: makeSide(1) }));
  await until(() => cache.has(sha256), { what: 'the module to be back' });
});

test('a push into a full directory is refused with what it is full of, once what can be spared is gone', async t => {
  let now = Date.now();
  const clock = { ...systemClock, now: () => now };
  const cache = await openTestCache(await makeDirectory(t), { quotaBytes: 300_000, clock });
  const { host, registry } = await startRegistry(t, () => false, { cache });
  const store = createMemoryStore();
  const stop = keepCollected({ store, cache, registryHeld: registry.held, clock, log: silentLog });
  stopAfter(t, { stop: async () => stop() });
  const push = (name: string) =>
    pushModule({
      bytes: makeModule(randomBytes(50_000).toString('hex')),
      reference: `${host}/${name}`,
      insecureRegistries: [],
      dockerConfigPath: undefined,
    });
  const { sha256 } = await cache.write([randomBytes(150_000)], { maxBytes: 1 << 20 });
  now += 2 * 3_600_000;
  await push('one:1');
  await push('two:1');
  assert.equal(await cache.has(sha256), false, 'it gave way');
  await assert.rejects(push('three:1'), {
    code: 'push-failed',
    message: /full: \d+ KB of 300 KB; 2\d\d KB for the built-in registry.*--module-quota/,
  });
  assert.ok(cache.quota.usedBytes <= 300_000);
  assert.deepEqual(await (await fetch(`http://${host}/v2/_catalog`)).json(), {
    repositories: ['one', 'two'],
  });
  const { headers } = await fetch(`http://${host}/v2/one/manifests/1`, { method: 'HEAD' });
  const manifest = `http://${host}/v2/one/manifests/${headers.get('docker-content-digest')}`;
  assert.equal((await fetch(manifest, { method: 'DELETE' })).status, 202);
  now += 2 * 3_600_000;
  await push('three:1');
});

test('a plugin whose module does not fit says so, and goes on by itself once there is room', async t => {
  const bytes = makeModule('x'.repeat(4_000));
  const { host } = await startRegistry(t);
  const reference = `${host}/auth:1`;
  await pushModule({ bytes, reference, insecureRegistries: [], dockerConfigPath: undefined });
  const cache = await openTestCache(await makeDirectory(t), { quotaBytes: 5_000 });
  const { sha256 } = await cache.write([Buffer.alloc(3_000)], { maxBytes: 1 << 20 });
  const store = createMemoryStore();
  const { clock: _clock, ...sources } = sourceOptions([host]);
  const common = { store, seal, cache, sources, rootNamespace: 'istio-system', random, log: silentLog };
  stopAfter(t, await startModuleReconciler({ ...common, tagIntervalMs: undefined, clock: systemClock }));
  const url = `oci://${reference}`;
  await store.put('PluginSpec', PLUGIN, { namespace: 'default', name: 'auth', url, createdAt: 1 });
  const progress = async () => (await store.get('ModuleProgress', PLUGIN))?.value;
  const retrying = await until(
    async () => ((await progress())?.state === 'retrying' ? progress() : undefined),
    {
      what: 'it to be tried again',
    },
  );
  assert.equal(retrying.code, 'cache-full');
  assert.match(retrying.message ?? '', /3\.0 KB of 5\.0 KB/);
  assert.match(retrying.hint ?? '', /--module-quota/);
  await cache.remove(sha256, Date.now());
  await until(async () => (await progress())?.state === 'ready', { what: 'it to be ready' });
});
