/** What proves a node: given out, revoked, and what is said of a node before it connects. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { startApi } from '../api/api-client.ts';
import { makePresence } from '../model/records.ts';

async function start(t: TestContext, auth: 'none' | 'mtls' | 'token' = 'token') {
  const store = createMemoryStore();
  const claimed = { namespace: 'edge', labels: { tier: 'gold' }, claims: 'ignored' } as const;
  await store.put('NodePresence', 'edge-1', makePresence({ connected: true }, claimed));
  const makeToken = (node: string, revokedAt: number) => `atn_${node}.${revokedAt}`;
  const api = await startApi(store, { envoyAccess: { tls: [], auth, makeToken } });
  t.after(async () => {
    await api.stop();
    await store.close();
  });
  return { ...api, store };
}

test('a token is the same until it is revoked, for a node that nobody knows yet too', async t => {
  const { call, store } = await start(t);
  const token = async () => (await call('POST', '/v1/nodes/edge-9/token')).body.token;
  assert.equal(await token(), 'atn_edge-9.0');
  assert.equal(await token(), 'atn_edge-9.0');
  const revoked = await call('PUT', '/v1/nodes/edge-9/revocation', { message: 'stolen' });
  assert.deepEqual([revoked.status, revoked.body.result], [200, 'revoked']);
  const policy = (await store.get('NodePolicy', 'edge-9'))?.value;
  assert.equal(policy?.revoked?.message, 'stolen');
  assert.equal(await token(), `atn_edge-9.${policy?.revoked?.at}`);
  const audited = (await store.list('AuditEntry')).records.map(({ value }) => JSON.stringify(value));
  assert.ok(!audited.some(text => text.includes('atn_')), 'the audit names no token');
});

test('a server that takes no tokens gives none out', async t => {
  const { call } = await start(t, 'mtls');
  const { status, body } = await call('POST', '/v1/nodes/edge-1/token');
  assert.deepEqual([status, body.code], [409, 'node-token-unused']);
  assert.equal((await call('GET', '/')).body.envoys.nodeAuth, 'mtls');
});

test('a node can be set before it connects, where that is asked for', async t => {
  const { call, store } = await start(t);
  const body = { namespace: 'edge', labels: { tier: 'gold' }, certificate: 'spiffe://example.org/x' };
  assert.equal((await call('PATCH', '/v1/nodes/edge-9', body)).status, 404, 'a slip of the pen is one');
  assert.equal((await call('PATCH', '/v1/nodes/edge-9', { ...body, new: true })).body.result, 'configured');
  const policy = (await store.get('NodePolicy', 'edge-9'))?.value;
  assert.deepEqual(policy, {
    node: 'edge-9',
    identity: { namespace: 'edge', labels: { tier: 'gold' } },
    certificate: 'spiffe://example.org/x',
  });
  const lifted = await call('PATCH', '/v1/nodes/edge-9', { certificate: null, new: true });
  assert.match(lifted.body.text, /certificate lifted/);
  const wrong = await call('PATCH', `/v1/nodes/${'x'.repeat(254)}`, { namespace: 'edge', new: true });
  assert.deepEqual([wrong.status, wrong.body.code], [422, 'node-setting-wrong']);
});

test('a node whose word does not count is shown with what it says, and how it would count', async t => {
  const { call } = await start(t);
  const { metadata, status } = (await call('GET', '/v1/nodes/edge-1')).body;
  assert.deepEqual([metadata.namespace, metadata.labels], ['default', {}]);
  assert.deepEqual(status.claimed, { namespace: 'edge', labels: { tier: 'gold' } });
  assert.match(status.warnings.join(), /attache node set edge-1 --namespace edge --label tier=gold/);
  await call('PATCH', '/v1/nodes/edge-1', { claims: 'kept' });
  const after = (await call('GET', '/v1/nodes/edge-1')).body;
  assert.deepEqual([after.metadata.namespace, after.status.warnings], ['edge', []]);
});
