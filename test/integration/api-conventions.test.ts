/** What holds for many routes: patches, conditions, types of bodies, and what stands beside the documents. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { readList } from '../../src/cli/read-list.ts';
import { RestClient } from '../../src/cli/rest-client.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { revisionKey } from '../../src/store/record-kinds.ts';
import { startApi } from '../api/api-client.ts';
import { makeRevision } from '../api/rollout-records.ts';
import { makePresence, PLUGIN } from '../model/records.ts';

const PATH = '/v1/plugins/default/auth';
const document = {
  apiVersion: 'attache/v1',
  kind: 'Plugin',
  metadata: { name: 'auth' },
  spec: { url: 'oci://r.example/auth:1', priority: 5, pluginConfig: { realm: 'a', keys: ['x'] } },
};
const PATCH_TYPE = { 'content-type': 'application/merge-patch+json' };

async function start(t: TestContext, over: Parameters<typeof startApi>[1] = {}) {
  const store = createMemoryStore();
  const api = await startApi(store, over);
  t.after(async () => {
    await api.stop();
    await store.close();
  });
  return { ...api, store };
}

test('a patch changes what it names, takes away what is null in it, and says where what comes of it is wrong', async t => {
  const { call } = await start(t);
  assert.equal((await call('PATCH', PATH, { spec: { priority: 1 } })).body.code, 'not-found');
  await call('PUT', PATH, document);
  const patched = await call('PATCH', PATH, { spec: { priority: null, pluginConfig: { realm: 'b' } } });
  assert.deepEqual([patched.status, patched.body.result], [200, 'configured']);
  const { spec } = (await call('GET', PATH)).body;
  assert.deepEqual([spec.priority, spec.pluginConfig], [undefined, { realm: 'b', keys: ['x'] }]);
  assert.equal(
    (await call('PATCH', PATH, { spec: { pluginConfig: { realm: 'b' } } })).body.result,
    'unchanged',
  );
  const wrong = await call('PATCH', PATH, { spec: { prioritty: 1 } });
  assert.deepEqual([wrong.status, wrong.body.errors[0].pointer], [422, '/spec/prioritty']);
  const other = await call('PATCH', PATH, { metadata: { name: 'other' } });
  assert.deepEqual([other.status, other.body.code], [422, 'name-mismatch']);
  assert.equal((await call('PATCH', PATH, [1])).status, 422);
});

test('a patch is held to If-Match, and without one it is laid over whatever is there', async t => {
  const { call } = await start(t);
  const created = await call('PUT', PATH, document);
  const etag = created.headers.get('etag') ?? '';
  assert.equal(
    (await call('PATCH', PATH, { spec: { priority: 1 } }, { ...PATCH_TYPE, 'if-match': etag })).status,
    200,
  );
  const stale = await call('PATCH', PATH, { spec: { priority: 2 } }, { ...PATCH_TYPE, 'if-match': etag });
  assert.deepEqual([stale.status, stale.body.code], [412, 'revision-mismatch']);
  const all = await Promise.all(
    ['a', 'b', 'c'].map(key => call('PATCH', PATH, { spec: { pluginConfig: { [key]: 1 } } })),
  );
  assert.deepEqual(
    all.map(({ status }) => status),
    [200, 200, 200],
  );
  assert.deepEqual((await call('GET', PATH)).body.spec.pluginConfig, {
    ...{ realm: 'a', keys: ['x'] },
    ...{ a: 1, b: 1, c: 1 },
  });
});

test('a dry run of a patch tells what it would do, and stores nothing', async t => {
  const { call, store } = await start(t);
  await call('PUT', PATH, document);
  const before = (await store.get('PluginSpec', PLUGIN))?.revision;
  const { status, body } = await call('PATCH', `${PATH}?dryRun=true`, { spec: { priority: 9 } });
  assert.deepEqual(
    [status, body.result, body.dryRun, body.plan.kind],
    [200, 'configured', true, 'PluginPlan'],
  );
  assert.equal((await store.get('PluginSpec', PLUGIN))?.revision, before);
});

test('each method takes one type of body', async t => {
  const { call } = await start(t);
  const asJson = await call('PATCH', PATH, '{}', { 'content-type': 'application/json' });
  assert.deepEqual([asJson.status, asJson.body.code], [415, 'media-type']);
  assert.match(asJson.body.hint, /application\/merge-patch\+json/);
  const asPatch = await call('PUT', PATH, document, PATCH_TYPE);
  assert.deepEqual([asPatch.status, asPatch.body.code], [415, 'media-type']);
  for (const type of [
    'application/json-patch+json',
    'text/json',
    'application/jsonx',
    'application/x-www-form-urlencoded',
  ])
    assert.equal((await call('PUT', PATH, '{}', { 'content-type': type })).status, 415, type);
  assert.notEqual(
    (await call('PUT', PATH, document, { 'content-type': 'application/json; charset=utf-8' })).status,
    415,
  );
});

test('where changes have to name their version, those without one are 428, and the CLI reads it first', async t => {
  const { call, url, store } = await start(t, { requireIfMatch: true });
  for (const [method, path, body] of [
    ['PUT', PATH, document],
    ['DELETE', PATH],
    ['PATCH', '/v1/nodes/edge-1', {}],
  ] as const)
    assert.deepEqual((await call(method, path, body)).body.code, 'precondition-required');
  assert.equal((await call('PUT', PATH, document, { 'if-none-match': '*' })).status, 201);
  assert.equal((await call('PUT', '/v1/freeze', { message: 'now' })).status, 200, 'a freeze is never late');
  assert.equal((await call('DELETE', '/v1/freeze')).status, 200);
  const client = new RestClient({ server: url, token: undefined, ca: undefined });
  const path = '/v1/plugins/default/other';
  const named = (priority: number) => ({
    ...document,
    metadata: { name: 'other' },
    spec: { ...document.spec, priority },
  });
  assert.equal((await client.put<{ result: string }>(path, named(1))).result, 'created');
  assert.equal((await client.put<{ result: string }>(path, named(2))).result, 'configured');
  await store.put('NodePresence', 'edge-1', makePresence());
  assert.equal(
    (await client.patch<{ result: string }>('/v1/nodes/edge-1', { claims: 'ignored' })).result,
    'configured',
  );
});

test('revisions are read one by one, and against each other', async t => {
  const { call, store } = await start(t);
  const one = makeRevision(1);
  const config = { ...one.config, priority: 7 };
  await store.put('Revision', revisionKey(PLUGIN, 1), one);
  await store.put('Revision', revisionKey(PLUGIN, 2), { ...one, number: 2, config });
  assert.equal((await call('GET', `${PATH}/revisions/2`)).body.number, 2);
  assert.equal((await call('GET', `${PATH}/revisions/3`)).body.code, 'not-found');
  assert.equal((await call('GET', `${PATH}/revisions/latest`)).body.code, 'bad-query');
  const { body } = await call('GET', `${PATH}/diff?from=1&to=2`);
  assert.deepEqual(body.changes, [
    { path: 'spec.priority', before: String(one.config.priority), after: '7' },
  ]);
  assert.deepEqual((await call('GET', `${PATH}/diff?from=2&to=2`)).body.changes, []);
  assert.equal((await call('GET', `${PATH}/diff?from=1`)).body.code, 'bad-query');
  assert.equal((await call('GET', `${PATH}/diff?from=1&to=9`)).body.code, 'not-found');
});

test('a module is read by its digest, and its report has what is in it and what came of trying it', async t => {
  const inside = { sizeBytes: 8, layout: 'plain', abi: '0.2.1', memoryPages: 2, imports: [], exports: [] };
  const symbols = { imports: [{ kind: 'func', name: 'env.proxy_log', signature: 'i32->i32' }] };
  const { call, store } = await start(t, {
    inspectModule: async sha256 => ({ ...inside, ...symbols, sha256 }),
  });
  const revision = makeRevision(1);
  const { sha256 } = revision.module;
  await store.put('Revision', revisionKey(PLUGIN, 1), revision);
  assert.equal((await call('GET', `/v1/modules/sha256:${sha256}`)).body.sha256, sha256);
  assert.equal((await call('GET', `/v1/modules/${'0'.repeat(64)}`)).body.code, 'not-found');
  const { body } = await call('GET', `/v1/modules/${sha256}/report`);
  assert.deepEqual([body.inside.abi, body.inside.imports], ['0.2.1', symbols.imports]);
  assert.deepEqual([body.revisions[0].plugin, body.revisions[0].trial], [PLUGIN, null]);
});

test('documents of other control planes are converted, one, several, or in a list', async t => {
  const { call } = await start(t);
  const source = {
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'WasmPlugin',
    metadata: { name: 'auth' },
    spec: { url: 'oci://r.example/auth:1' },
  };
  for (const body of [source, [source], { documents: [source] }]) {
    const answer = await call('POST', '/v1/convert?namespace=shop', body);
    assert.equal(answer.status, 200);
    const [{ plugins }] = answer.body.items;
    assert.deepEqual(plugins[0].document.metadata, { name: 'auth', namespace: 'shop' });
    assert.equal((await call('PUT', '/v1/plugins/shop/auth?dryRun=true', plugins[0].document)).status, 200);
  }
  const empty = { ...source, spec: {} };
  const [{ plugins, notes }] = (await call('POST', '/v1/convert', empty)).body.items;
  assert.deepEqual([plugins, notes[0].level, notes[0].code], [[], 'error', 'missing-field']);
});

test('the CLI reads lists to their end, however many pages they have', async t => {
  const { url, store } = await start(t);
  for (let i = 0; i < 230; i++) {
    const node = { ...makePresence().node, id: `edge-${String(i).padStart(3, '0')}` };
    await store.put('NodePresence', node.id, makePresence({ node }));
  }
  const client = new RestClient({ server: url, token: undefined, ca: undefined });
  const first = await client.get<{ items: readonly unknown[]; next: string | null }>('/v1/nodes');
  assert.deepEqual([first.items.length, typeof first.next], [100, 'string']);
  const all = (await readList(client, '/v1/nodes')) as readonly { metadata: { name: string } }[];
  assert.deepEqual(
    [all.length, all.at(-1)?.metadata.name, new Set(all.map(({ metadata }) => metadata.name)).size],
    [230, 'edge-229', 230],
  );
});

test('nodes are chosen by namespace, label and name, and read page by page', async t => {
  const { call, url, store } = await start(t);
  for (let i = 0; i < 7; i++) {
    const labels = { zone: i < 4 ? 'a' : 'b' };
    const node = { ...makePresence().node, id: `edge-${i}`, labels };
    await store.put('NodePresence', node.id, makePresence({ node }));
  }
  const ids = async (query: string) =>
    (await call('GET', `/v1/nodes${query}`)).body.items.map(
      (node: { metadata: { name: string } }) => node.metadata.name,
    );
  assert.deepEqual(await ids('?labelSelector=zone=b'), ['edge-4', 'edge-5', 'edge-6']);
  assert.deepEqual(await ids('?labelSelector=zone!=b,zone&q=-3'), ['edge-3']);
  assert.equal((await call('GET', '/v1/nodes?labelSelector=a%20in%20(b)')).body.code, 'bad-query');
  const seen: string[] = [];
  let path: string | undefined = '/v1/nodes?limit=3&labelSelector=zone';
  while (path !== undefined) {
    const answer: Awaited<ReturnType<typeof call>> = await call('GET', path);
    seen.push(...answer.body.items.map((node: { metadata: { name: string } }) => node.metadata.name));
    path = /<(.*)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1];
    assert.equal(path === undefined, answer.body.next === null);
  }
  assert.deepEqual(
    seen,
    [0, 1, 2, 3, 4, 5, 6].map(i => `edge-${i}`),
  );
  assert.equal((await fetch(`${url}/v1/nodes?limit=501`)).status, 400);
});
