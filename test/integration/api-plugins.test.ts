import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Revision } from '../../src/model/revision.ts';
import { hashConfig, hashRevision, toRevisionConfig } from '../../src/model/revision.ts';
import { quarantineKey, revisionKey, rolloutKey, verdictKey } from '../../src/store/record-kinds.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { startApi, systemClock } from '../api/api-client.ts';
import {
  makeAssignment,
  makePresence,
  makeRefused,
  makeRollout,
  makeSide,
  makeSpec,
  makeVerdict,
  PLUGIN,
} from '../model/records.ts';

const PATH = '/v1/plugins/default/auth';

function makeDocument(spec: object = {}, metadata: object = {}) {
  return {
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'WasmPlugin',
    metadata: { name: 'auth', ...metadata },
    spec: { url: 'oci://r/auth:1', ...spec },
  };
}

async function start(t: TestContext) {
  const directory = await mkdtemp(join(tmpdir(), 'attache-api-'));
  const store = await openSqliteStore({ directory, clock: systemClock });
  const api = await startApi(store);
  t.after(async () => {
    await api.stop();
    await store.close();
    await rm(directory, { recursive: true });
  });
  return { ...api, store, directory };
}

function makeRevision(number: number): Revision {
  const config = toRevisionConfig(makeSpec());
  const sha256 = String(number).repeat(64);
  return {
    plugin: PLUGIN,
    number,
    contentHash: hashRevision(sha256, config),
    configHash: hashConfig(config),
    config,
    module: {
      sha256,
      sizeBytes: 1234,
      url: 'oci://r/auth:1',
      layout: 'compat-image',
      abi: '0.2.1',
      importCount: 3,
    },
    createdAt: 1_000 * number,
  };
}

test('PUT creates, then says unchanged without a write, then configured; each is durable', async t => {
  const { call, store } = await start(t);
  const created = await call('PUT', `${PATH}?message=first`, makeDocument());
  assert.deepEqual([created.status, created.body.result], [201, 'created']);
  assert.equal((await store.get('PluginSpec', PLUGIN))?.value.message, 'first');
  const again = await call('PUT', PATH, makeDocument());
  assert.deepEqual([again.status, again.body.result], [200, 'unchanged']);
  assert.equal(again.headers.get('etag'), created.headers.get('etag'));
  const changed = await call('PUT', PATH, makeDocument({ pluginConfig: { a: 1 } }));
  assert.equal(changed.body.result, 'configured');
  assert.equal(changed.body.metadata.createdAt, created.body.metadata.createdAt);
  assert.notEqual(changed.headers.get('etag'), created.headers.get('etag'));
  const events = await call('GET', '/v1/events?plugin=default/auth');
  assert.deepEqual(
    events.body.items.map((event: { type: string }) => event.type),
    ['plugin.configured', 'plugin.created'],
  );
});

test('an answered PUT survives the process: it is there when the store is opened again', async t => {
  const { call, store, directory } = await start(t);
  await call('PUT', PATH, makeDocument());
  await store.close();
  const again = await openSqliteStore({ directory, clock: systemClock });
  assert.equal((await again.get('PluginSpec', PLUGIN))?.value.url, 'oci://r/auth:1');
  await again.close();
});

test('applying the same document again asks for a module again that failed', async t => {
  const { call, store } = await start(t);
  await call('PUT', PATH, makeDocument());
  const before = await store.get('PluginSpec', PLUGIN);
  const specRevision = before?.revision ?? 0;
  await store.put('ModuleProgress', PLUGIN, {
    plugin: PLUGIN,
    specRevision,
    state: 'failed',
    code: 'module-not-found',
    message: 'no such tag: 1',
    hint: 'push it',
    since: 5,
  });
  const failed = await call('GET', PATH);
  assert.deepEqual(
    [failed.body.status.phase, failed.body.status.code, failed.body.status.settled, failed.body.status.hint],
    ['NotStarted', 'module-not-found', true, 'push it'],
  );
  const again = await call('PUT', PATH, makeDocument());
  assert.deepEqual([again.body.result, again.body.status.phase], ['unchanged', 'Validating']);
  assert.ok(((await store.get('PluginSpec', PLUGIN))?.revision ?? 0) > specRevision);
});

test('a document with faults is a 422 that names them all, and nothing is stored', async t => {
  const { call, store } = await start(t);
  const answer = await call('PUT', PATH, makeDocument({ pluginConf: {}, priority: 'x', url: undefined }));
  assert.deepEqual([answer.status, answer.body.code], [422, 'unknown-field']);
  assert.deepEqual(
    answer.body.errors.map((fault: { pointer: string }) => fault.pointer),
    ['/spec/pluginConf', '/spec/url', '/spec/priority'],
  );
  assert.equal(answer.body.errors[0].hint, 'Did you mean pluginConfig?');
  assert.equal(await store.get('PluginSpec', PLUGIN), undefined);
});

test('the path and the document must agree; a document without a namespace takes the one of the path', async t => {
  const { call } = await start(t);
  const other = await call('PUT', '/v1/plugins/default/other', makeDocument());
  assert.deepEqual(
    [other.status, other.body.code, other.body.errors[0].pointer],
    [422, 'name-mismatch', '/metadata/name'],
  );
  const edge = await call('PUT', '/v1/plugins/edge/auth', makeDocument());
  assert.equal(edge.body.metadata.namespace, 'edge');
  const wrong = await call('PUT', '/v1/plugins/edge/auth', makeDocument({}, { namespace: 'default' }));
  assert.equal(wrong.body.errors[0].pointer, '/metadata/namespace');
  const listed = await call('GET', '/v1/plugins?namespace=default');
  assert.deepEqual(listed.body.items, []);
});

test('a dry run answers the same and stores nothing', async t => {
  const { call, store } = await start(t);
  const answer = await call('PUT', `${PATH}?dryRun=true`, makeDocument());
  assert.deepEqual([answer.status, answer.body.result, answer.body.dryRun], [200, 'created', true]);
  assert.equal(await store.get('PluginSpec', PLUGIN), undefined);
  assert.equal((await store.list('Event')).records.length, 0);
  assert.equal((await call('PUT', `${PATH}?dryRun=true`, makeDocument({ x: 1 }))).status, 422);
});

test('If-Match and If-None-Match are obeyed on PUT and DELETE', async t => {
  const { call } = await start(t);
  const missing = await call('PUT', PATH, makeDocument(), { 'if-match': '*' });
  assert.deepEqual([missing.status, missing.body.code], [412, 'revision-mismatch']);
  const created = await call('PUT', PATH, makeDocument(), { 'if-none-match': '*' });
  assert.equal(created.status, 201);
  assert.equal((await call('PUT', PATH, makeDocument(), { 'if-none-match': '*' })).status, 412);
  const etag = created.headers.get('etag') ?? '';
  const changed = await call('PUT', PATH, makeDocument({ priority: 1 }), { 'if-match': etag });
  assert.equal(changed.status, 200);
  const stale = await call('PUT', PATH, makeDocument({ priority: 2 }), { 'if-match': etag });
  assert.equal(stale.status, 412);
  assert.ok(stale.body.detail.includes(`version ${changed.body.metadata.resourceVersion}`));
  assert.equal((await call('DELETE', PATH, undefined, { 'if-match': etag })).status, 412);
  const read = (await call('GET', PATH)).headers.get('etag') ?? '';
  assert.ok(read.startsWith(`${changed.headers.get('etag')?.slice(0, -1)}.`));
  assert.equal((await call('DELETE', PATH, undefined, { 'if-match': read })).status, 200);
});

test('writes at the same moment do not lose one another', async t => {
  const { call } = await start(t);
  const answers = await Promise.all(
    Array.from({ length: 10 }, (_, priority) => call('PUT', PATH, makeDocument({ priority }))),
  );
  const results = answers.map(answer => answer.body.result);
  assert.equal(results.filter(result => result === 'created').length, 1);
  assert.equal(new Set(answers.map(answer => answer.body.metadata.resourceVersion)).size, 10);
  assert.ok(answers.every(answer => answer.status < 300));
});

test('a plugin that matches no node says which namespace or label differs', async t => {
  const { call, store } = await start(t);
  await store.put('NodePresence', 'edge-1', makePresence());
  const edge = await call('PUT', '/v1/plugins/edge/auth', makeDocument());
  assert.match(
    edge.body.warnings[0],
    /edge\/auth matches no node.*namespace edge; your 1 node is in namespace default/,
  );
  const label = await call('PUT', PATH, makeDocument({ selector: { matchLabels: { app: 'web' } } }));
  assert.match(label.body.warnings[0], /matches no node.*app=web.*app=gateway/);
  assert.deepEqual((await call('PUT', PATH, makeDocument())).body.warnings, []);
});

test('a node without a place is named when a plugin is applied', async t => {
  const { call, store } = await start(t);
  await store.put('NodePresence', 'edge-1', makePresence({ slots: ['attache.authn'] }));
  const answer = await call('PUT', PATH, makeDocument());
  assert.match(answer.body.warnings.join(), /edge-1 cannot run default\/auth/);
});

test('nodes, plugin, rollout, revisions and modules tell one story of a refusal', async t => {
  const { call, store } = await start(t);
  const applied = await call('PUT', PATH, makeDocument());
  const specRevision = Number(applied.body.metadata.resourceVersion);
  const message = 'Unable to create Wasm plugin default/auth';
  for (const number of [1, 2]) await store.put('Revision', revisionKey(PLUGIN, number), makeRevision(number));
  await store.put('ModuleProgress', PLUGIN, {
    plugin: PLUGIN,
    specRevision,
    state: 'ready',
    revision: 2,
    since: 5,
  });
  await store.put('Assignment', PLUGIN, makeAssignment({ base: makeSide(1) }));
  const rollout = makeRollout({
    phase: 'RolledBack',
    specRevision,
    startedAt: 6,
    endedAt: 9,
    failure: {
      kind: 'refusal',
      node: 'edge-1',
      nodes: ['edge-1'],
      count: 1,
      text: message,
      at: 7,
      step: 0,
      baking: false,
    },
  });
  await store.put('Rollout', rolloutKey(PLUGIN, 1), rollout);
  const { contentHash } = makeRevision(2);
  await store.put('Quarantine', quarantineKey(PLUGIN, contentHash), {
    plugin: PLUGIN,
    contentHash,
    revision: 2,
    rollout: rollout.id,
    cause: 'refused',
    text: 'was refused by edge-1',
    at: 7,
  });
  const nack = {
    typeUrl: 'type.googleapis.com/envoy.config.listener.v3.Listener',
    name: 'l',
    version: '1',
    message: 'no',
    at: 9,
  };
  await store.put('NodePresence', 'edge-1', makePresence({ nacks: [nack], slots: ['attache.last', 'odd'] }));
  const verdict = makeVerdict(1, 1, { refused: makeRefused(2, true) });
  await store.put('NodeVerdict', verdictKey('edge-1', 'attache.last'), verdict);

  const { status } = (await call('GET', '/v1/nodes/edge-1')).body;
  const [plugin] = status.plugins;
  assert.deepEqual([plugin.state, plugin.revision, plugin.refusedRevision], ['Accepted', 1, 2]);
  assert.equal(plugin.message, message);
  assert.match(plugin.cause, /wasm log default\/auth/);
  assert.deepEqual(
    [status.state, status.accepted, status.desired, status.worst],
    ['Connected', 1, 1, 'Accepted'],
  );
  assert.deepEqual(status.refusedResources[0], {
    type: 'listeners',
    name: 'l',
    message: 'no',
    since: '1970-01-01T00:00:00.009Z',
  });
  assert.match(status.warnings[0], /place odd is neither/);

  const view = (await call('GET', PATH)).body;
  const shown = (await call('GET', '/v1/rollouts/default.auth.latest')).body;
  const why = `edge-1 refused revision 2 at 1970-01-01T00:00:00.007Z: "${message}"`;
  assert.deepEqual([view.status.phase, view.status.settled], ['RolledBack', true]);
  assert.deepEqual([view.status.message, shown.why], [why, why]);
  assert.deepEqual([view.status.currentRevision, view.status.desiredRevision], [1, 1]);
  assert.deepEqual([view.status.rollout.id, view.status.rollout.plan], [shown.id, shown.plan]);
  assert.equal(view.status.module.sha256, '1'.repeat(64));
  assert.deepEqual([view.status.refusal.node, view.status.refusal.revision], ['edge-1', 2]);
  assert.equal(view.status.heldBack.revision, 2);
  assert.equal(view.onNodes.length, 1);

  const revisions = (await call('GET', `${PATH}/revisions`)).body.items;
  assert.deepEqual(
    revisions.map((one: { number: number; result: string }) => [one.number, one.result]),
    [
      [2, 'refused'],
      [1, 'live'],
    ],
  );
  const modules = (await call('GET', '/v1/modules')).body.items;
  assert.deepEqual(
    modules.map((one: { sha256: string; nodes: number }) => [one.sha256[0], one.nodes]),
    [
      ['2', 0],
      ['1', 1],
    ],
    'newest first',
  );
});

test('none of the answers holds a word that is only ours', async t => {
  const { call, store } = await start(t);
  await store.put('NodePresence', 'edge-1', makePresence());
  await store.put(
    'NodeVerdict',
    verdictKey('edge-1', 'attache.last'),
    makeVerdict(2, 1, { refused: makeRefused(2) }),
  );
  await call('PUT', PATH, makeDocument());
  for (const path of ['/v1/plugins', PATH, '/v1/nodes', '/v1/nodes/edge-1', '/v1/modules', '/v1/events', '/'])
    assert.doesNotMatch(
      JSON.stringify((await call('GET', path)).body),
      /slot|attempt|verdict|process|nonce|cohort/i,
    );
});
