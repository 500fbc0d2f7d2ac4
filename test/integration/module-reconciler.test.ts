import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentMeter } from '../../src/model/meter.ts';
import type { NodePresence } from '../../src/model/node.ts';
import { type PluginSpec, sha256Hex, toPluginName } from '../../src/model/plugin-spec.ts';
import { silentLog } from '../../src/model/ports.ts';
import type { ModuleProgress } from '../../src/model/revision.ts';
import type { BlobCache } from '../../src/module/blob-cache.ts';
import { startModuleReconciler } from '../../src/module/module-reconciler.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import type { Store } from '../../src/store/store.ts';
import { buildProxyWasm, buildWasm } from '../fixtures/wasm-builder.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import {
  makeDirectory,
  makeModule,
  openTestCache,
  random,
  SHORT_LIMITS,
  startRegistry,
  startWeb,
  systemClock,
  testSeal,
} from '../module/actors.ts';

interface World {
  readonly store: Store;
  readonly cache: BlobCache;
  readonly directory: string;
  apply(spec: Partial<PluginSpec> & { readonly url: string }): Promise<number>;
  /** The progress of the newest spec, once it is in one of these states. */
  reach(...states: ModuleProgress['state'][]): Promise<ModuleProgress>;
  restart(): Promise<void>;
}

async function setUp(t: TestContext, insecure: readonly string[]): Promise<World> {
  const directory = await makeDirectory(t);
  const store = await openSqliteStore({ directory, clock: systemClock });
  stopAfter(t, { stop: () => store.close() });
  const cache = await openTestCache(join(directory, 'modules'));
  const start = () =>
    startModuleReconciler({
      store,
      cache,
      sources: {
        insecureRegistries: () => insecure,
        registries: [],
        allowPrivateHosts: [],
        meter: silentMeter,
        dockerConfigPath: undefined,
        moduleDirectory: directory,
        timeLimits: SHORT_LIMITS,
      },
      seal: testSeal,
      tagIntervalMs: undefined,
      rootNamespace: 'istio-system',
      clock: systemClock,
      random,
      log: silentLog,
    });
  let running = await start();
  stopAfter(t, { stop: () => running.stop() });
  const plugin = 'default/auth';
  return {
    store,
    cache,
    directory,
    async apply(spec) {
      const value: PluginSpec = { namespace: 'default', name: 'auth', createdAt: 1, ...spec };
      return store.put('PluginSpec', toPluginName(value), value);
    },
    reach: (...states) =>
      until(
        async () => {
          const spec = await store.get('PluginSpec', plugin);
          const progress = (await store.get('ModuleProgress', plugin))?.value;
          return progress?.specRevision === spec?.revision && progress && states.includes(progress.state)
            ? progress
            : undefined;
        },
        { what: `progress ${states}` },
      ),
    async restart() {
      await running.stop();
      running = await start();
    },
  };
}

const push = (host: string, name: string, bytes: Uint8Array) =>
  pushModule({ bytes, reference: `${host}/${name}`, insecureRegistries: [], dockerConfigPath: undefined });

const revisionsOf = async ({ store }: World) =>
  (await store.list('Revision', 'default/auth/')).records.map(({ value }) => value);

test('a plugin becomes revision 1: fetched, verified, checked and in the cache', async t => {
  const { host } = await startRegistry(t);
  const bytes = makeModule('one');
  const { manifestDigest } = await push(host, 'auth:1.4', bytes);
  const world = await setUp(t, [host]);
  await world.apply({ url: `oci://${host}/auth:1.4`, pluginConfig: { realm: 'x' }, message: 'first' });
  assert.equal((await world.reach('ready')).revision, 1);
  const [revision, ...more] = await revisionsOf(world);
  assert.equal(more.length, 0);
  const { trial, ...module } = revision?.module ?? {};
  assert.equal(trial?.outcome, 'ok');
  assert.deepEqual(module, {
    sha256: sha256Hex(bytes),
    sizeBytes: bytes.length,
    url: `oci://${host}/auth:1.4`,
    referenceDigest: manifestDigest,
    manifestDigest,
    layout: 'cncf',
    abi: '0.2.1',
    importCount: 1,
  });
  assert.equal(revision?.message, 'first');
  assert.ok(await world.cache.has(sha256Hex(bytes)));
});

test('a new configuration needs no registry, and old content gets its old number back', async t => {
  const { host, requests } = await startRegistry(t);
  await push(host, 'auth:1', makeModule('one'));
  const world = await setUp(t, [host]);
  const url = `${host}/auth:1`;
  await world.apply({ url, pluginConfig: { n: 1 } });
  await world.reach('ready');
  const asked = requests.length;
  await world.apply({ url, pluginConfig: { n: 2 } });
  assert.equal((await world.reach('ready')).revision, 2);
  await world.apply({ url, pluginConfig: { n: 1 } });
  assert.equal((await world.reach('ready')).revision, 1);
  assert.equal((await revisionsOf(world)).length, 2);
  assert.equal(requests.length, asked);
});

test('IfNotPresent keeps what the plugin resolved, Always follows a moved tag', async t => {
  const { host } = await startRegistry(t);
  await push(host, 'auth:1', makeModule('old'));
  const world = await setUp(t, [host]);
  const url = `${host}/auth:1`;
  await world.apply({ url });
  await world.reach('ready');
  await push(host, 'auth:1', makeModule('new'));
  await world.apply({ url, priority: 5 });
  await world.reach('ready');
  await world.apply({ url, priority: 5, imagePullPolicy: 'Always' });
  assert.equal((await world.reach('ready')).revision, 3);
  const hashes = (await revisionsOf(world)).map(({ module }) => module.sha256);
  const [old, moved] = [sha256Hex(makeModule('old')), sha256Hex(makeModule('new'))];
  assert.deepEqual(hashes, [old, old, moved]);
});

test('a restart does nothing for what is ready, finishes what is not, and forgets how far a deleted one had got', async t => {
  const { host, requests } = await startRegistry(t);
  await push(host, 'auth:1', makeModule('one'));
  const world = await setUp(t, [host]);
  await world.apply({ url: `${host}/auth:1` });
  const before = await world.reach('ready');
  const asked = requests.length;
  await world.restart();
  await world.apply({ url: `${host}/auth:1`, name: 'other' });
  await until(() => world.store.get('Revision', 'default/other/0000000001'), { what: 'the other plugin' });
  assert.deepEqual(await world.reach('ready'), before);
  assert.ok(
    requests.slice(asked).every(({ line }) => !line.includes('/blobs/')),
    'the layer was in the cache',
  );
  await world.store.delete('PluginSpec', 'default/auth');
  const progress = () => world.store.get('ModuleProgress', 'default/auth');
  await until(async () => (await progress()) === undefined, { what: 'its progress to go' });

  await push(host, 'auth:2', makeModule('two'));
  await world.apply({ url: `${host}/auth:2` });
  const { revision } = await world.reach('ready');
  assert.equal(revision, 2, 'a number is never used twice');
});

test('a module that vanished from the cache is fetched again by its digest, though the tag moved', async t => {
  const { host } = await startRegistry(t);
  await push(host, 'auth:1', makeModule('old'));
  const world = await setUp(t, [host]);
  await world.apply({ url: `${host}/auth:1` });
  await world.reach('ready');
  await push(host, 'auth:1', makeModule('new'));
  const sha256 = sha256Hex(makeModule('old'));
  await rm(join(world.directory, 'modules', 'blobs', 'sha256', sha256));
  await world.restart();
  await until(() => world.cache.has(sha256), { what: 'the module to be back' });
  await world.reach('ready');
  assert.equal((await revisionsOf(world)).length, 1);
});

test('an unreachable registry is tried again and succeeds by itself once it is there', async t => {
  let down = false;
  const { host } = await startRegistry(t, (_request, response) => {
    if (down) response.writeHead(503, { 'retry-after': '0' }).end();
    return down;
  });
  await push(host, 'auth:1', makeModule('one'));
  down = true;
  const world = await setUp(t, [host]);
  await world.apply({ url: `${host}/auth:1` });
  const progress = await world.reach('retrying');
  assert.equal(progress.code, 'registry-error');
  assert.ok(progress.hint);
  down = false;
  assert.equal((await world.reach('ready')).revision, 1);
});

test('a newer document is not held up by one whose source does not answer', async t => {
  const { host } = await startRegistry(t);
  const silent = await startWeb(t, () => {});
  await push(host, 'auth:1', makeModule('one'));
  const world = await setUp(t, [host, silent.host]);
  await world.apply({ url: `${silent.host}/auth:1` });
  await until(() => silent.requests.length > 0, { what: 'the silent registry to be asked' });
  await world.apply({ url: `${host}/auth:1` });
  await world.reach('ready');
  assert.equal((await revisionsOf(world)).length, 1);
});

test('a deleted plugin asks no source for anything, and is itself again, without one, when it comes back', async t => {
  const { host, requests } = await startRegistry(t);
  const silent = await startWeb(t, () => {});
  await push(host, 'auth:1', makeModule('one'));
  const world = await setUp(t, [host, silent.host]);
  await world.apply({ url: `${host}/auth:1` });
  await world.reach('ready');
  await world.apply({ url: `${silent.host}/auth:2` });
  await until(() => silent.requests.length > 0, { what: 'the silent registry to be asked' });
  const [asked, askedBefore] = [silent.requests.length, requests.length];
  const deleted = { at: 1, by: 'admin', now: false };
  const tombstone = await world.apply({ url: `${silent.host}/auth:2`, deleted });
  await world.restart();
  const progress = (await world.store.get('ModuleProgress', 'default/auth'))?.value;
  assert.ok(progress !== undefined && progress.specRevision < tombstone);
  await world.apply({ url: `${host}/auth:1` });
  assert.equal((await world.reach('ready')).revision, 1);
  assert.deepEqual([silent.requests.length, requests.length], [asked, askedBefore]);
});

test('final faults are failed at once, name cause and next step, and leave revisions alone', async t => {
  const { host } = await startRegistry(t);
  const good = makeModule('good');
  await push(host, 'auth:1', good);
  await push(host, 'abi:3', buildProxyWasm({}, '0_3_0'));
  await push(host, 'bare:1', buildWasm({ exports: [] }));
  await push(host, 'big:1', Buffer.concat([good, Buffer.alloc(32 << 20)]));
  const import_ = { module: 'env', name: 'nobody_has_this', type: 'i32->i32' };
  await push(host, 'import:1', buildProxyWasm({ imports: [import_] }));
  await push(host, 'text:1', Buffer.from('<html>'));
  const locked = await startWeb(t, (_request, response) => void response.writeHead(401).end());
  const world = await setUp(t, [host, locked.host]);
  await writeFile(join(world.directory, 'local.wasm'), 'source code');
  await world.apply({ url: `${host}/auth:1` });
  await world.reach('ready');
  const zeros = '0'.repeat(64);
  const cases: readonly [Partial<PluginSpec> & { readonly url: string }, string][] = [
    [{ url: `${host}/auth:2` }, 'module-not-found'],
    [{ url: `${host}/auth:1`, sha256: zeros }, 'wrong-digest'],
    [{ url: `${host}/auth@sha256:${zeros}` }, 'module-not-found'],
    [{ url: `${host}/abi:3` }, 'no-proxy-abi'],
    [{ url: `${host}/bare:1` }, 'no-proxy-abi'],
    [{ url: `${host}/big:1` }, 'module-too-big'],
    [{ url: `${host}/import:1` }, 'unknown-import'],
    [{ url: `${host}/text:1` }, 'not-wasm'],
    [{ url: `${locked.host}/auth:1` }, 'unauthorized'],
    [{ url: 'oci://UPPER.example/Not A Name' }, 'bad-reference'],
    [{ url: `http://${host}/x.wasm` }, 'address-refused'],
    [{ url: 'file:///etc/passwd' }, 'file-refused'],
    [{ url: `file://${world.directory}/none.wasm` }, 'module-not-found'],
    [{ url: `file://${world.directory}/local.wasm` }, 'not-wasm'],
  ];
  for (const [spec, code] of cases) {
    await world.apply(spec);
    const { code: found, message, hint } = await world.reach('failed', 'ready', 'retrying');
    assert.deepEqual([spec.url, found], [spec.url, code]);
    assert.ok(message && hint, `${code} has a message and a hint`);
  }
  assert.deepEqual(
    (await revisionsOf(world)).map(({ number, module }) => [number, module.sha256]),
    [[1, sha256Hex(good)]],
  );
});

test('an import that a connected, selected Envoy lacks is refused with its name', async t => {
  const { host } = await startRegistry(t);
  const readdir = { module: 'wasi_snapshot_preview1', name: 'fd_readdir', type: 'i32,i32,i32,i64,i32->i32' };
  await push(host, 'auth:1', buildProxyWasm({ imports: [readdir] }));
  const world = await setUp(t, [host]);
  const presence = (id: string, envoyVersion: string, connected = true): NodePresence => ({
    node: {
      id,
      cluster: 'c',
      namespace: 'default',
      labels: {},
      zone: '',
      envoyVersion,
      capabilities: { filterChain: false, wasm: true, failReload: true },
      bootstrap: {},
    },
    process: '0'.repeat(16),
    connected,
    since: 1,
    firstSeenAt: 1,
    slots: [],
    nacks: [],
  });
  await world.store.put('NodePresence', 'new', presence('new', '1.40.0'));
  await world.store.put('NodePresence', 'gone', presence('gone', '1.36.2', false));
  await world.apply({ url: `${host}/auth:1` });
  await world.reach('ready');
  await world.store.put('NodePresence', 'old', presence('old', '1.37.0'));
  await world.apply({ url: `${host}/auth:1`, priority: 1 });
  const { code, message } = await world.reach('failed', 'ready');
  assert.equal(code, 'unknown-import');
  assert.match(message ?? '', /1\.37\.0 \(old\).*fd_readdir/);
});
