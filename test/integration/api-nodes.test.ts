import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { NodeMetrics } from '../../src/model/node-metrics.ts';
import { resourceKey } from '../../src/model/resource.ts';
import { EXTENSION_CONFIG_TYPE } from '../../src/model/type-url.ts';
import { LiveTable } from '../../src/store/live-table.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { revisionKey, rolloutKey, verdictKey } from '../../src/store/record-kinds.ts';
import { startApi } from '../api/api-client.ts';
import { makeRevision, makeUpdate, putRollout } from '../api/rollout-records.ts';
import { makeResource } from '../compile/compile-samples.ts';
import { makeMetrics, repeat } from '../model/metric-records.ts';
import { makeAssignment, makePresence, makeSide, makeSpec, makeVerdict, PLUGIN } from '../model/records.ts';

const NOW = Date.now();
const NODE = '/v1/nodes/edge-1';

async function start(t: TestContext, connected = true, takeInMs = 5_000) {
  const store = createMemoryStore();
  const metrics = new LiveTable<NodeMetrics>();
  await store.put('PluginSpec', PLUGIN, makeSpec());
  await store.put('Revision', revisionKey(PLUGIN, 2), makeRevision(2, { phase: 'AUTHN' }));
  await store.put('Assignment', PLUGIN, makeAssignment({ base: makeSide(2) }));
  await store.put('NodePresence', 'edge-1', makePresence({ connected, since: NOW - 90_000 }));
  const verdict = makeVerdict(2, 2, { slot: 'attache.authn' });
  const accepted = verdict.accepted && { ...verdict.accepted, at: NOW - 20_000 };
  await store.put('NodeVerdict', verdictKey('edge-1', 'attache.authn'), { ...verdict, accepted });
  const api = await startApi(store, { metrics, takeInMs });
  t.after(async () => {
    await api.stop();
    await store.close();
  });
  return { ...api, store, metrics, accepted };
}

test('an excluded node says so, with who and why, and is included again', async t => {
  const { call, store } = await start(t);
  const out = await call('PUT', `${NODE}/exclusion`, { message: 'lost a mount' });
  assert.deepEqual([out.status, out.body.result], [200, 'excluded']);
  const { status } = (await call('GET', NODE)).body;
  assert.deepEqual([status.excluded.by, status.excluded.message], ['admin', 'lost a mount']);
  assert.deepEqual([status.plugins[0].state, status.plugins[0].reason], ['NotTargeted', 'Excluded']);
  assert.deepEqual([status.accepted, status.desired], [0, 0]);
  assert.equal((await call('PUT', `${NODE}/exclusion`)).body.result, 'unchanged');
  assert.equal((await call('DELETE', `${NODE}/exclusion`)).body.result, 'included');
  assert.equal((await call('DELETE', `${NODE}/exclusion`)).body.result, 'unchanged');
  assert.equal((await store.get('NodePolicy', 'edge-1'))?.value.excluded, undefined);
  assert.equal((await call('GET', NODE)).body.status.excluded, null);
  assert.equal((await call('PUT', '/v1/nodes/none/exclusion')).status, 404);
});

test('C-B6: a node that is gone is forgotten, and the answer comes once it is', async t => {
  const { call, store } = await start(t, false);
  const forgetting = call('DELETE', `${NODE}?message=retired`);
  for await (const [change] of store.watch(['NodePolicy'], AbortSignal.timeout(5_000)))
    if (change !== undefined) break;
  const policy = (await store.get('NodePolicy', 'edge-1'))?.value;
  assert.deepEqual([policy?.forget?.by, policy?.forget?.message], ['admin', 'retired']);
  await store.delete('NodePresence', 'edge-1');
  const { status, body } = await forgetting;
  assert.deepEqual([status, body.result], [200, 'forgotten']);
  assert.equal(body.text, 'node edge-1 forgotten. It comes back as new if it connects again.');
  assert.equal((await call('DELETE', NODE)).status, 404);
});

test('a connected node is not forgotten; forgetting that takes long is a 202', async t => {
  const here = await start(t);
  const { status, body } = await here.call('DELETE', NODE);
  assert.deepEqual([status, body.code], [409, 'node-connected']);
  assert.match(body.hint, /attache node exclude edge-1/);
  assert.equal(await here.store.get('NodePolicy', 'edge-1'), undefined);
  const gone = await start(t, false, 100);
  assert.equal((await gone.call('DELETE', NODE)).status, 202);
});

test('a node shows what its requests pass, and Loaded where that is proven', async t => {
  const { call, store, accepted } = await start(t);
  const loaded = accepted && { ...accepted, loaded: [PLUGIN] };
  const verdict = makeVerdict(2, 2, { slot: 'attache.authn' });
  await store.put('NodeVerdict', verdictKey('edge-1', 'attache.authn'), { ...verdict, accepted: loaded });
  const { status } = (await call('GET', NODE)).body;
  assert.deepEqual(
    [status.plugins[0].state, status.worst, status.accepted, status.desired],
    ['Loaded', 'Loaded', 1, 1],
  );
  assert.deepEqual(
    status.chains.map((chain: { where: string; text: string }) => [chain.where, chain.text]),
    [['every listener', 'auth (AUTHN) → router']],
  );
});

test('a plugin that crashes since it was accepted is Degraded, with how often', async t => {
  const { call, metrics } = await start(t);
  assert.equal((await call('GET', NODE)).body.status.plugins[0].state, 'Accepted');
  metrics.set('edge-1', makeMetrics(NOW - 15_000, 5_000, [{ crashes: 2 }, { crashes: 1 }]));
  const { status } = (await call('GET', NODE)).body;
  assert.deepEqual([status.plugins[0].state, status.worst], ['Degraded', 'Degraded']);
  assert.equal(status.plugins[0].detail, 'accepted, then crashed 3 times');
  const plugin = (await call('GET', '/v1/plugins/default/auth')).body;
  assert.deepEqual([plugin.status.nodes.degraded, plugin.status.nodes.accepted], [1, 0]);
});

test('C-B3: a moved node that answers 5xx is Degraded, with both rates', async t => {
  const { call, store, metrics } = await start(t);
  const movedAt = NOW - 16_000;
  await putRollout(store, makeUpdate({ step: 0, stage: 'Soaking' }));
  await store.put('RolloutNodes', rolloutKey(PLUGIN, 3), {
    rollout: 'default.auth.3',
    order: [['edge-1', 'edge-2']],
    before: { 'edge-1': { requests: 500, errors5xx: 0 } },
    moves: [{ at: movedAt, step: 0, nodes: ['edge-1'] }],
  });
  await store.put('NodePresence', 'edge-2', makePresence({}, { id: 'edge-2' }));
  metrics.set('edge-1', makeMetrics(movedAt, 5_000, repeat({ bad: 199 }, 3)));
  metrics.set('edge-2', makeMetrics(movedAt, 5_000, repeat({ ok: 499, bad: 1 }, 3)));
  const [plugin] = (await call('GET', NODE)).body.status.plugins;
  assert.equal(plugin.state, 'Degraded');
  assert.equal(
    plugin.detail,
    'accepted, then answered 5xx to 398 of 398 requests in 10 s; 1 other: 0.2 % of 1,000',
  );
});

test('two Envoys with one node id: both are shown, with a warning', async t => {
  const { call, store } = await start(t);
  const envoys = [1, 2].map(n => ({ address: `10.0.0.${n}:40000`, since: NOW - n, envoyVersion: '1.40.0' }));
  await store.put('NodePresence', 'edge-1', makePresence({ since: NOW - 90_000, envoys }));
  const { status } = (await call('GET', NODE)).body;
  assert.deepEqual(
    status.envoys.map((envoy: { address: string }) => envoy.address),
    ['10.0.0.1:40000', '10.0.0.2:40000'],
  );
  assert.match(status.warnings[0], /2 Envoys are connected as edge-1: 10\.0\.0\.1:40000, 10\.0\.0\.2:40000/);
});

test('a place that a document of extensions fills is not said to let everything pass', async t => {
  const { call, store } = await start(t);
  await store.put('NodePresence', 'edge-1', makePresence({ slots: ['geo', 'odd'] }));
  const extension = makeResource(
    { '@type': EXTENSION_CONFIG_TYPE, name: 'geo' },
    { type: 'extensions', name: 'geo' },
  );
  await store.put('ResourceSpec', resourceKey(extension), extension);
  const warn = async () => (await call('GET', NODE)).body.status.warnings.join('\n');
  assert.match(await warn(), /place odd is neither/);
  assert.doesNotMatch(await warn(), /place geo/);
  await store.put('ResourceSpec', resourceKey(extension), {
    ...extension,
    selector: { matchLabels: { a: 'b' } },
  });
  assert.match(await warn(), /place geo is neither/);
});
