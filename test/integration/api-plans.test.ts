import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { silentMeter } from '../../src/model/meter.ts';
import { LISTENER_TYPE } from '../../src/model/type-url.ts';
import { createModulePlanner } from '../../src/module/plan-module.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import type { Kind } from '../../src/store/record-kinds.ts';
import { pickyCheckResource, startApi } from '../api/api-client.ts';
import { buildProxyWasm } from '../fixtures/wasm-builder.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { makePresence } from '../model/records.ts';
import { makeCache, makeModule, startRegistry, startWeb, systemClock, testSeal } from '../module/actors.ts';

const PATH = '/v1/plugins/default/auth';
const STORED: readonly Kind[] = ['PluginSpec', 'ResourceSpec', 'Revision', 'ModuleProgress', 'Event'];

/** The API with the real module stage behind its plans, the built-in registry, and one connected Envoy. */
async function setUp(t: TestContext, more: { readonly limitMs?: number } = {}) {
  const { host } = await startRegistry(t);
  const silent = await startWeb(t, () => {});
  const store = createMemoryStore();
  const planner = createModulePlanner({
    store,
    cache: await makeCache(t),
    sources: {
      insecureRegistries: () => [host, silent.host],
      registries: [],
      allowPrivateHosts: [],
      meter: silentMeter,
      dockerConfigPath: undefined,
      moduleDirectory: undefined,
    },
    seal: testSeal,
    rootNamespace: 'istio-system',
    clock: systemClock,
    ...more,
  });
  const api = await startApi(store, { planModule: planner.plan, checkResource: pickyCheckResource });
  stopAfter(t, {
    async stop() {
      await api.stop();
      await planner.close();
      await store.close();
    },
  });
  await store.put('NodePresence', 'edge-1', makePresence());
  const push = (name: string, bytes: Uint8Array) =>
    pushModule({ bytes, reference: `${host}/${name}`, insecureRegistries: [], dockerConfigPath: undefined });
  await push('auth:1', makeModule('one'));
  const document = (spec: object = {}, metadata: object = {}) => ({
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'WasmPlugin',
    metadata: { name: 'auth', ...metadata },
    spec: { url: `oci://${host}/auth:1`, ...spec },
  });
  const count = async () =>
    (await Promise.all(STORED.map(async kind => (await store.list(kind)).records.length))).join(' ');
  return { ...api, store, push, host, silent, document, count };
}

const listener = { '@type': LISTENER_TYPE, name: 'ingress' };

test('a plan of one document says what would happen, and nothing has happened', async t => {
  const { call, document, count } = await setUp(t);
  const answer = await call('POST', '/v1/plans', document({ phase: 'AUTHN' }));
  assert.equal(answer.status, 200);
  const [plan] = answer.body.items;
  assert.deepEqual(
    [answer.body.differs, plan.result, plan.title, plan.module.abi, plan.rollout.steps.length],
    [true, 'created', '– → revision 1', '0.2.1', 1],
  );
  assert.equal(plan.rollout.text, 'steps: 1 edge-1; then 1 min bake');
  assert.equal(await count(), '0 0 0 0 0');
});

test('a list is planned in order: plugins, resources and deletes', async t => {
  const { call, document } = await setUp(t);
  await call('PUT', PATH, document());
  await call('PUT', '/v1/resources/listeners/default/ingress', listener);
  const items = [
    {
      apiVersion: 'attache/v1',
      kind: 'EnvoyResource',
      metadata: { name: 'ingress' },
      resource: { ...listener, stat_prefix: 'x' },
    },
    { delete: { kind: 'Plugin', name: 'auth' } },
    { delete: { kind: 'EnvoyResource', type: 'listeners', name: 'ingress' } },
    document({}, { name: 'other', namespace: 'edge' }),
  ];
  for (const body of [items, { documents: items }]) {
    const { status, body: plan } = await call('POST', '/v1/plans?preset=all-at-once', body);
    assert.equal(status, 200);
    assert.deepEqual(
      plan.items.map((item: { result: string; differs: boolean }) => [item.result, item.differs]),
      [
        ['configured', true],
        ['deleted', true],
        ['deleted', true],
        ['created', true],
      ],
    );
    assert.deepEqual(plan.items[0].changes, [
      { path: 'spec.resource.stat_prefix', before: null, after: '"x"' },
    ]);
    assert.deepEqual([plan.items[0].text, plan.items[0].nodes], ['sent to 1 node at once', ['edge-1']]);
    assert.match(plan.items[2].text, /^taken from 1 node at once$/);
    assert.match(plan.items[3].warnings[0], /edge\/other matches no node. It selects namespace edge/);
    assert.equal(plan.items[3].rollout.preset, 'all-at-once');
  }
  const gone = await call('POST', '/v1/plans', [{ delete: { kind: 'Plugin', name: 'none' } }]);
  assert.deepEqual([gone.status, gone.body.code], [404, 'not-found']);
  const twice = await call('POST', '/v1/plans', [items[2], items[2]]);
  assert.deepEqual([twice.status, twice.body.code], [404, 'not-found'], 'the second one finds it gone');
});

test('the faults of all documents come together, each with its place in the request', async t => {
  const { call, document } = await setUp(t);
  const pointersOf = async (body: unknown) => {
    const answer = await call('POST', '/v1/plans', body);
    assert.equal(answer.status, 422);
    return answer.body.errors.map((fault: { pointer: string }) => fault.pointer);
  };
  const bad = document({ pluginConf: {} });
  assert.deepEqual(await pointersOf(bad), ['/spec/pluginConf']);
  assert.deepEqual(await pointersOf([document(), bad, { kind: 'Service' }]), [
    '/1/spec/pluginConf',
    '/2/kind',
  ]);
  assert.deepEqual(await pointersOf({ documents: [bad] }), ['/documents/0/spec/pluginConf']);
  assert.deepEqual(await pointersOf([{ delete: { kind: 'Plugn' } }]), ['/0/delete/name', '/0/delete/kind']);
  assert.deepEqual(await pointersOf({ documents: [document(), { ...listener, filterChain: [] }] }), [
    '/documents/1/filterChain',
  ]);
  assert.deepEqual(await pointersOf('"text"'), ['']);
  assert.equal((await call('POST', '/v1/plans?preset=quick', document())).body.code, 'bad-query');
});

test('a dry run of PUT and DELETE goes as far, and stores as little', async t => {
  const { call, store, document, count } = await setUp(t);
  const created = await call('PUT', `${PATH}?dryRun=true`, document({ phase: 'AUTHN' }));
  assert.deepEqual(
    [created.status, created.body.result, created.body.plan.title],
    [200, 'created', '– → revision 1'],
  );
  assert.equal(await count(), '0 0 0 0 0');
  await call('PUT', PATH, document());
  const before = await count();
  const removed = await call('DELETE', `${PATH}?dryRun=true`);
  assert.deepEqual([removed.status, removed.body.plan.result], [200, 'deleted']);
  assert.equal(await count(), before);
  await store.put('Freeze', 'fleet', { by: 'admin', message: 'until 09:00', at: 1 });
  const frozen = await call('PUT', `${PATH}?dryRun=true`, document({ priority: 1 }));
  assert.deepEqual([frozen.status, frozen.body.plan.frozen.message], [200, 'until 09:00']);
});

test('a module that no Envoy of the fleet would load is found before anything is stored', async t => {
  const { call, push, host, document } = await setUp(t);
  const import_ = { module: 'env', name: 'nobody_has_this', type: 'i32->i32' };
  await push('import:1', buildProxyWasm({ imports: [import_] }));
  const [plan] = (await call('POST', '/v1/plans', document({ url: `oci://${host}/import:1` }))).body.items;
  assert.deepEqual(
    [plan.result, plan.problem.code, plan.problem.transient],
    ['failed', 'unknown-import', false],
  );
  assert.match(plan.problem.message, /nobody_has_this/);
  assert.match(plan.problem.message, /Envoy 1\.40\.0/);
  const [missing] = (await call('POST', '/v1/plans', document({ url: `oci://${host}/none:1` }))).body.items;
  assert.equal(missing.problem.code, 'module-not-found');
});

test('a source that does not answer does not hold the answer up for ever, and documents can be planned without', async t => {
  const { call, silent, document } = await setUp(t, { limitMs: 100 });
  const slow = document({ url: `oci://${silent.host}/auth:1` });
  const [plan] = (await call('POST', '/v1/plans', slow)).body.items;
  assert.deepEqual(
    [plan.result, plan.problem.code, plan.problem.transient],
    ['failed', 'registry-unreachable', true],
  );
  const asked = silent.requests.length;
  const [quick] = (await call('POST', '/v1/plans?modules=false', slow)).body.items;
  assert.deepEqual([quick.result, quick.module, quick.problem, quick.rollout], ['created', null, null, null]);
  assert.equal(silent.requests.length, asked);
});

test('a caller who goes away ends the wait', async t => {
  const { url, silent, document } = await setUp(t);
  const leaving = new AbortController();
  const asked = fetch(`${url}/v1/plans`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(document({ url: `oci://${silent.host}/auth:1` })),
    signal: leaving.signal,
  });
  void until(() => silent.requests.length > 0, { what: 'the source to be asked' }).then(() =>
    leaving.abort(),
  );
  await assert.rejects(asked, { name: 'AbortError' });
});
