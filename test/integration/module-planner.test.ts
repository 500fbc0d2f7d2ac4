import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentMeter } from '../../src/model/meter.ts';
import { type PluginSpec, sha256Hex } from '../../src/model/plugin-spec.ts';
import { ModuleRecord } from '../../src/module/module-record.ts';
import { createModulePlanner, type ModulePlannerOptions } from '../../src/module/plan-module.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { buildProxyWasm } from '../fixtures/wasm-builder.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { makePresence, makeSpec } from '../model/records.ts';
import {
  makeDirectory,
  makeModule,
  openTestCache,
  random,
  startRegistry,
  startWeb,
  systemClock,
  testSeal,
} from '../module/actors.ts';

async function setUp(t: TestContext, hosts: readonly string[], over: Partial<ModulePlannerOptions> = {}) {
  const store = createMemoryStore();
  const directory = join(await makeDirectory(t), 'modules');
  const cache = await openTestCache(directory);
  const planner = createModulePlanner({
    store,
    cache,
    sources: {
      insecureRegistries: () => hosts,
      registries: [],
      allowPrivateHosts: [],
      meter: silentMeter,
      dockerConfigPath: undefined,
      moduleDirectory: undefined,
    },
    seal: testSeal,
    rootNamespace: 'istio-system',
    clock: systemClock,
    ...over,
  });
  stopAfter(t, {
    async stop() {
      await planner.close();
      await store.close();
    },
  });
  const plan = (spec: Partial<PluginSpec>, signal = new AbortController().signal) =>
    planner.plan(makeSpec(spec), signal);
  /** As the module stage would after this spec was applied. */
  const make = async (spec: Partial<PluginSpec>) => {
    const value = makeSpec(spec);
    const revision = await store.put('PluginSpec', 'default/auth', value);
    const planned = await plan(spec);
    assert.ok(planned.kind === 'revision');
    const stored = { key: 'default/auth', value, revision, createdRevision: revision };
    await new ModuleRecord({ store, clock: systemClock, random }, 'default/auth', stored).recordReady(
      planned.revision.module,
    );
  };
  return { store, cache, planner, plan, make };
}

const push = (host: string, name: string, bytes: Uint8Array) =>
  pushModule({ bytes, reference: `${host}/${name}`, insecureRegistries: [], dockerConfigPath: undefined });

test('a plan says which revision it would be, and stores nothing but the bytes', async t => {
  const { host, requests } = await startRegistry(t);
  await push(host, 'auth:1', makeModule('one'));
  const { store, cache, plan, make } = await setUp(t, [host]);
  const url = `oci://${host}/auth:1`;
  const first = await plan({ url, pluginConfig: { realm: 'x' } });
  assert.ok(first.kind === 'revision');
  const sha256 = sha256Hex(makeModule('one'));
  assert.deepEqual([first.revision.number, first.isNew, first.revision.module.sha256], [1, true, sha256]);
  assert.ok(await cache.has(sha256));
  for (const kind of ['PluginSpec', 'Revision', 'ModuleProgress', 'Event'] as const)
    assert.equal((await store.list(kind)).records.length, 0, kind);

  await make({ url });
  const asked = requests.length;
  const same = await plan({ url, message: 'no content' });
  assert.ok(same.kind === 'revision');
  assert.deepEqual([same.revision.number, same.isNew], [1, false]);
  const next = await plan({ url, priority: 5 });
  assert.ok(next.kind === 'revision');
  assert.deepEqual([next.revision.number, next.isNew], [2, true]);
  assert.equal(requests.length, asked, 'what the plugin knows needs no registry');
});

test('what the module stage would refuse is a problem, with whether it may pass', async t => {
  let down = false;
  const { host } = await startRegistry(t, (_request, response) => {
    if (down) response.writeHead(503).end();
    return down;
  });
  const { store, plan } = await setUp(t, [host]);
  const codeOf = async (spec: Partial<PluginSpec>) => {
    const planned = await plan(spec);
    return planned.kind === 'problem' ? [planned.problem.code, planned.problem.transient] : planned;
  };
  assert.deepEqual(await codeOf({ url: `${host}/none:1` }), ['module-not-found', false]);
  assert.deepEqual(await codeOf({ url: 'ftp://x/y' }), ['bad-reference', false]);
  const import_ = { module: 'env', name: 'nobody_has_this', type: 'i32->i32' };
  await push(host, 'import:1', buildProxyWasm({ imports: [import_] }));
  await store.put('NodePresence', 'edge-1', makePresence());
  const refused = await plan({ url: `${host}/import:1` });
  assert.ok(refused.kind === 'problem');
  assert.equal(refused.problem.code, 'unknown-import');
  assert.match(refused.problem.message, /Envoy 1\.40\.0 \(edge-1\).*nobody_has_this/);
  down = true;
  assert.deepEqual(await codeOf({ url: `${host}/auth:2` }), ['registry-error', true]);
});

test('a source that does not answer ends the plan after its time, or when nobody waits any more', async t => {
  const silent = await startWeb(t, () => {});
  const { plan } = await setUp(t, [silent.host], { limitMs: 50 });
  const planned = await plan({ url: `${silent.host}/auth:1` });
  assert.ok(planned.kind === 'problem');
  assert.deepEqual([planned.problem.code, planned.problem.transient], ['registry-unreachable', true]);

  const patient = await setUp(t, [silent.host]);
  const gone = new AbortController();
  const asked = silent.requests.length;
  const waiting = patient.plan({ url: `${silent.host}/auth:1` }, gone.signal);
  await until(() => silent.requests.length > asked, { what: 'the source to be asked' });
  gone.abort();
  await assert.rejects(waiting, { name: 'AbortError' });
  await patient.planner.close();
});
