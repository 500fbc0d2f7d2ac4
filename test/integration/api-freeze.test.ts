import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LISTENER_TYPE } from '../../src/model/type-url.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { echoRegistry, startApi } from '../api/api-client.ts';
import { makeMoves, makeUpdate, NODES, writeScene } from '../api/rollout-records.ts';
import { makeSide } from '../model/records.ts';

const ID = 'default.auth.3';
const PATH = '/v1/plugins/default/auth';
const LISTENER = '/v1/resources/listeners/default/l';
const NOW = Date.now();
const listener = { '@type': LISTENER_TYPE, name: 'l' };
const document = {
  apiVersion: 'attache/v1',
  kind: 'Plugin',
  metadata: { name: 'auth' },
  spec: { url: 'oci://r/auth:2' },
};

async function start(t: TestContext, phase: 'Paused' | 'Progressing' | 'RolledBack' = 'Paused') {
  const store = createMemoryStore();
  const moved = { rollout: ID, side: makeSide(8), nodes: NODES.slice(0, 4), since: NOW };
  await writeScene(store, {
    now: NOW,
    rollout: makeUpdate({ phase }),
    moves: makeMoves(ID, NOW, 1, 4),
    assignment: { moved: [moved] },
  });
  const api = await startApi(store, { registry: echoRegistry, takeInMs: 100 });
  t.after(async () => {
    await api.stop();
    await store.close();
  });
  return { ...api, store };
}

test('a freeze says by whom, since when and why, and is lifted once', async t => {
  const { call, store } = await start(t);
  assert.deepEqual((await call('GET', '/v1/freeze')).body.frozen, false);
  const frozen = await call('PUT', '/v1/freeze', { message: 'on-call, until 09:00' });
  assert.deepEqual([frozen.status, frozen.body.frozen, frozen.body.by], [200, true, 'admin']);
  assert.match(frozen.body.text, /^frozen by admin since .*Z: "on-call, until 09:00"$/);
  const again = await call('PUT', '/v1/freeze');
  assert.deepEqual([again.body.since, again.body.message], [frozen.body.since, 'on-call, until 09:00']);
  assert.equal((await call('PUT', '/v1/freeze', { message: 'longer' })).body.message, 'longer');
  assert.equal((await call('DELETE', '/v1/freeze')).body.frozen, false);
  assert.equal((await call('DELETE', '/v1/freeze')).status, 200);
  const types = (await store.list('Event')).records.map(record => record.value.type);
  assert.deepEqual(types.toSorted(), ['fleet.frozen', 'fleet.frozen', 'fleet.unfrozen']);
});

test('C-B7: while frozen, whatever changes something is a 423 with the message and what lifts it', async t => {
  const { call, store } = await start(t);
  await store.put('ResourceSpec', 'listeners/default/l', {
    type: 'listeners',
    namespace: 'default',
    name: 'l',
    resource: listener,
    createdAt: 1,
  });
  await store.put('NodePolicy', 'edge-01', { node: 'edge-01', excluded: { by: 'a', message: null, at: 1 } });
  await call('PUT', '/v1/freeze', { message: 'on-call, until 09:00' });
  // The audit alone goes on: it has each change that was refused.
  const kinds = ['PluginSpec', 'ResourceSpec', 'RolloutIntent', 'NodePolicy', 'Event'] as const;
  const readAll = () => Promise.all(kinds.map(async kind => (await store.list(kind)).records));
  const before = await readAll();
  const changing = [
    ['PUT', PATH, document],
    ['DELETE', PATH],
    ['PUT', LISTENER, listener],
    ['DELETE', LISTENER],
    ['POST', `/v1/rollouts/${ID}/resume`],
    ['POST', `/v1/rollouts/${ID}/promote`],
    ['DELETE', '/v1/nodes/edge-01/exclusion'],
  ] as const;
  for (const [method, path, body] of changing) {
    const answer = await call(method, path, body);
    assert.deepEqual([method, path, answer.status, answer.body.code], [method, path, 423, 'frozen']);
    assert.match(answer.body.detail, /^frozen by admin since .*: "on-call, until 09:00"$/);
    assert.equal(answer.body.hint, 'attache unfreeze lifts it.');
  }
  assert.deepEqual(await readAll(), before);
});

test('retry is stopped by a freeze', async t => {
  const { call } = await start(t, 'RolledBack');
  await call('PUT', '/v1/freeze');
  assert.equal((await call('POST', `/v1/rollouts/${ID}/retry`)).status, 423);
});

test('while frozen one can still look, try out, push, pause, abort, undo and take nodes out', async t => {
  const { call, url } = await start(t, 'Progressing');
  await call('PUT', '/v1/freeze');
  assert.equal((await call('PUT', `${LISTENER}?dryRun=true`, listener)).status, 200);
  assert.equal((await call('DELETE', `${PATH}?dryRun=true`)).status, 200);
  assert.equal((await call('POST', `/v1/rollouts/${ID}/pause`)).status, 202);
  assert.equal((await call('POST', `/v1/rollouts/${ID}/abort`)).status, 202);
  assert.equal((await call('POST', `${PATH}/undo`)).status, 202);
  assert.equal((await call('PUT', '/v1/nodes/edge-01/exclusion')).status, 200);
  assert.equal((await call('GET', PATH)).status, 200);
  assert.equal((await fetch(`${url}/v2/x`, { method: 'PUT' })).status, 200);
});
