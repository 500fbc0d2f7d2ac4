import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { MetricSample, NodeMetrics } from '../../src/model/node-metrics.ts';
import { LiveTable } from '../../src/store/live-table.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { revisionKey, verdictKey } from '../../src/store/record-kinds.ts';
import { startApi } from '../api/api-client.ts';
import { makeRevision } from '../api/rollout-records.ts';
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

test('B6: a node that is gone is forgotten, and the answer comes once it is', async t => {
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

function makeSample(at: number, reloads: number): MetricSample {
  return {
    at,
    byClass: [0, 100, 0, 0, 0],
    latency: [],
    vmCreated: 3,
    vmActive: 3,
    workers: 2,
    reloads: { [PLUGIN]: reloads },
    ecds: {},
    custom: {},
    memoryBytes: null,
  };
}

test('a plugin that crashes since it was accepted is Degraded, with how often', async t => {
  const { call, metrics } = await start(t);
  assert.equal((await call('GET', NODE)).body.status.plugins[0].state, 'Accepted');
  const samples = [makeSample(NOW - 15_000, 0), makeSample(NOW - 10_000, 2), makeSample(NOW - 5_000, 3)];
  metrics.set('edge-1', { node: 'edge-1', process: 'p1', samples });
  const { status } = (await call('GET', NODE)).body;
  assert.deepEqual([status.plugins[0].state, status.worst], ['Degraded', 'Degraded']);
  assert.equal(status.plugins[0].detail, 'accepted, then crashed 3 times');
  const plugin = (await call('GET', '/v1/plugins/default/auth')).body;
  assert.deepEqual([plugin.status.nodes.degraded, plugin.status.nodes.accepted], [1, 0]);
});
