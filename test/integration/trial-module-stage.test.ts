import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildPlugin } from '../../plugins/build.ts';
import { silentMeter } from '../../src/model/meter.ts';
import { type PluginSpec, toPluginName } from '../../src/model/plugin-spec.ts';
import { silentLog } from '../../src/model/ports.ts';
import type { ModuleProgress } from '../../src/model/revision.ts';
import type { BlobCache } from '../../src/module/blob-cache.ts';
import { startModuleReconciler } from '../../src/module/module-reconciler.ts';
import { createModulePlanner } from '../../src/module/plan-module.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { createTrialRunner, type TrialRunner } from '../../src/module/trial/trial-runner.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { loop } from '../fixtures/wasm-code.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { makeSpec } from '../model/records.ts';
import {
  makeDirectory,
  openTestCache,
  random,
  startRegistry,
  systemClock,
  testSeal,
} from '../module/actors.ts';
import { build } from '../module/trial/trial-modules.ts';

/** A module stage and a planner that share one runner, and a registry. */
async function setUp(t: TestContext) {
  const { host } = await startRegistry(t);
  const store = createMemoryStore();
  const directory = join(await makeDirectory(t), 'modules');
  const files = await openTestCache(directory);
  let beforeOpen = async () => {};
  const open: BlobCache['open'] = async sha256 => {
    await beforeOpen();
    return files.open(sha256);
  };
  const cache: BlobCache = new Proxy(files, {
    get(target, name) {
      if (name === 'open') return open;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  const sources = {
    insecureRegistries: () => [host],
    registries: [],
    allowPrivateHosts: [],
    meter: silentMeter,
    dockerConfigPath: undefined,
    moduleDirectory: undefined,
  };
  const runner = createTrialRunner({ clock: systemClock, limitMs: 3_000 });
  let onRun = () => {};
  const trials: TrialRunner = {
    async run(...of) {
      onRun();
      return runner.run(...of);
    },
    close: () => runner.close(),
  };
  const shared = {
    store,
    cache,
    sources,
    trials,
    seal: testSeal,
    tagIntervalMs: undefined,
    rootNamespace: 'istio-system',
    clock: systemClock,
  };
  const planner = createModulePlanner(shared);
  const stage = await startModuleReconciler({ ...shared, random, log: silentLog });
  stopAfter(t, {
    async stop() {
      await stage.stop();
      await planner.close();
      await trials.close();
      await store.close();
    },
  });
  const reach = (plugin: string, revision: number) =>
    until(
      async () => {
        const progress = (await store.get('ModuleProgress', plugin))?.value;
        const isDone = progress?.state === 'ready' || progress?.state === 'failed';
        return isDone && progress?.specRevision === revision ? progress : undefined;
      },
      { what: `the module of ${plugin}` },
    );
  return {
    store,
    files,
    /** From now on nobody reads a module before a trial run was asked for. */
    holdReads() {
      const asked = Promise.withResolvers<void>();
      beforeOpen = () => asked.promise;
      onRun = asked.resolve;
    },
    async offer(bytes: Uint8Array) {
      const reference = `${host}/auth:1`;
      await pushModule({ bytes, reference, insecureRegistries: [], dockerConfigPath: undefined });
      return `oci://${reference}`;
    },
    async apply(more: Partial<PluginSpec>): Promise<ModuleProgress> {
      const spec = makeSpec(more);
      return reach(toPluginName(spec), await store.put('PluginSpec', toPluginName(spec), spec));
    },
    plan: (spec: Partial<PluginSpec>) => planner.plan(makeSpec(spec), new AbortController().signal),
  };
}

const addHeader = await buildPlugin('add-header');
/** Has no schema: it looks at its configuration by itself. */
const byValue = await buildPlugin('faulty/refuses-config-by-value');

test('a configuration that the plugin refuses never becomes a revision; its own words are the reason', async t => {
  const { offer, apply, plan, store } = await setUp(t);
  const url = await offer(byValue.bytes);
  const bad = { url, pluginConfig: { refuse: true } };
  const progress = await apply(bad);
  assert.deepEqual(
    [progress.state, progress.code, progress.pointer],
    ['failed', 'trial-refused', '/spec/pluginConfig'],
  );
  assert.match(progress.message ?? '', /"refuse: is true"/);
  assert.equal((await store.list('Revision')).records.length, 0);

  const planned = await plan(bad);
  assert.ok(planned.kind === 'problem');
  assert.deepEqual(
    [planned.problem.code, planned.problem.pointer, planned.problem.transient],
    ['trial-refused', '/spec/pluginConfig', false],
  );
});

test('what a trial run found stands in the revision, also where the module was known before', async t => {
  const { offer, apply, store, plan } = await setUp(t);
  const url = await offer(byValue.bytes);
  assert.equal((await apply({ url, pluginConfig: { value: 'one' } })).state, 'ready');
  assert.equal((await apply({ url, pluginConfig: { value: 'two' } })).revision, 2);
  for (const { value } of (await store.list('Revision')).records)
    assert.equal(value.module.trial?.outcome, 'ok');
  // The same module with a configuration that is not the one that was tried.
  const refused = await apply({ url, pluginConfig: { refuse: true } });
  assert.equal(refused.code, 'trial-refused');
  assert.equal((await plan({ url, pluginConfig: { value: 'three' } })).kind, 'revision');
});

test('a configuration that does not fit the schema of the module is refused, with a pointer, and the plugin does not run', async t => {
  const { offer, apply, plan, store } = await setUp(t);
  const url = await offer(addHeader.bytes);
  const bad = { url, pluginConfig: { heder: 'x', value: 5 } };
  const progress = await apply(bad);
  assert.deepEqual(
    [progress.state, progress.code, progress.pointer, progress.hint],
    ['failed', 'config-mismatch', '/spec/pluginConfig/heder', 'Did you mean header?'],
  );
  assert.equal((await store.list('Revision')).records.length, 0);
  const planned = await plan(bad);
  assert.ok(planned.kind === 'problem');
  assert.equal(planned.problem.code, 'config-mismatch');
  assert.equal((await apply({ url, pluginConfig: { header: 'x', value: 'y' } })).state, 'ready');
  // The module is known now, and comes from the cache.
  assert.equal((await apply(bad)).code, 'config-mismatch');
});

test('a plugin that asks for the node passes, and the revision says what could not be known', async t => {
  const { offer, apply, store } = await setUp(t);
  const url = await offer((await buildPlugin('faulty/refuses-config')).bytes);
  assert.equal((await apply({ url })).state, 'ready');
  const [revision] = (await store.list('Revision')).records;
  assert.deepEqual(revision?.value.module.trial?.unknowable, [
    'property xds.node.id is known to the node alone',
  ]);
});

test('a plugin that does not come to an end fails, and the next one is served', async t => {
  const { offer, apply } = await setUp(t);
  const url = await offer(build({ _start: loop() }));
  const progress = await apply({ url });
  assert.deepEqual([progress.state, progress.code], ['failed', 'trial-timeout']);
  const good = await offer(addHeader.bytes);
  assert.equal((await apply({ url: good, name: 'other' })).state, 'ready');
});

test('a module that is known runs with its new configuration while it is looked at again', async t => {
  const { offer, apply, holdReads } = await setUp(t);
  const url = await offer(byValue.bytes);
  assert.equal((await apply({ url, pluginConfig: { value: 'one' } })).state, 'ready');
  holdReads();
  assert.equal((await apply({ url, pluginConfig: { value: 'two' } })).revision, 2);
});

test('a module that is known, and was lost, is fetched again and runs then', async t => {
  const { offer, apply, files } = await setUp(t);
  const url = await offer(byValue.bytes);
  assert.equal((await apply({ url, pluginConfig: { value: 'one' } })).state, 'ready');
  assert.equal(await files.remove(byValue.sha256, Number.POSITIVE_INFINITY), true);
  const progress = await apply({ url, pluginConfig: { value: 'two' } });
  assert.deepEqual([progress.state, progress.revision], ['ready', 2]);
  assert.equal(await files.has(byValue.sha256), true);
});
