/** What the REST API tells of a node beyond the records, and what the server side says of it. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import { makeShowResource } from '../../src/compile/show-resource.ts';
import type { ResourceConfig } from '../../src/model/node-config.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { REDACTED } from '../../src/model/show-resource.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE, SECRET_TYPE } from '../../src/model/type-url.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { createNodeLogReader } from '../../src/xds/access/node-log.ts';
import { NO_ACCESS, startApi } from '../api/api-client.ts';
import { until } from '../harness/wait.ts';
import { makeAssignment, makePresence, makeSide, makeSpec, PLUGIN } from '../model/records.ts';

const NODE = '/v1/nodes/edge-1';
const NOW = Date.now();
const registry = new ProtoRegistry();

const resource = (over: Partial<ResourceConfig>): ResourceConfig => ({
  typeUrl: CLUSTER_TYPE,
  name: 'a',
  status: 'SYNCED',
  asked: true,
  wantedVersion: '2',
  sentVersion: '2',
  ackedVersion: '2',
  at: NOW - 5_000,
  refused: null,
  config: null,
  ...over,
});

const encoded = (json: JsonObject): Uint8Array => registry.encodeAny(json);
const tls = {
  '@type': 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext',
  common_tls_context: { tls_certificates: [{ private_key: { inline_string: 'PRIVATE' } }] },
};

const RESOURCES = [
  resource({
    config: encoded({
      '@type': CLUSTER_TYPE,
      name: 'a',
      transport_socket: { name: 'tls', typed_config: tls },
    }),
  }),
  resource({
    typeUrl: ENDPOINT_TYPE,
    status: 'NOT_SENT',
    asked: false,
    sentVersion: null,
    ackedVersion: null,
    at: null,
  }),
  resource({
    typeUrl: LISTENER_TYPE,
    status: 'ERROR',
    ackedVersion: '1',
    refused: { version: '2', message: 'cannot bind', at: NOW - 5_000 },
    config: encoded({ '@type': LISTENER_TYPE, name: 'a' }),
  }),
  resource({ typeUrl: SECRET_TYPE, name: 'key' }),
];

async function start(t: TestContext, connected = true) {
  const store = createMemoryStore();
  const presence = makePresence({ connected, since: NOW - 90_000 });
  await store.put('PluginSpec', PLUGIN, makeSpec({ pluginConfig: { password: 'hush' } }));
  await store.put('Assignment', PLUGIN, makeAssignment({ base: makeSide(null) }));
  await store.put('NodePresence', 'edge-1', presence);
  const readConfig = () => ({ node: presence.node, resources: RESOURCES });
  const nodes = {
    ...NO_ACCESS,
    readConfig,
    show: makeShowResource(registry),
    logs: createNodeLogReader('/var/log'),
  };
  const api = await startApi(store, { nodes });
  t.after(async () => {
    await api.stop();
    await store.close();
  });
  return { ...api, store };
}

test('a node shows each resource with what it is to have, was sent and accepted, its age and Envoy’s text', async t => {
  const { call } = await start(t);
  const { resources } = (await call('GET', NODE)).body.status;
  assert.deepEqual(
    resources.map((one: { type: string; state: string }) => `${one.type} ${one.state}`),
    ['clusters Accepted', 'endpoints NotAsked', 'listeners Refused', 'secrets Accepted'],
  );
  const { since, ...refused } = resources[2];
  assert.equal(since, new Date(NOW - 5_000).toISOString());
  assert.deepEqual(refused, {
    type: 'listeners',
    name: 'a',
    state: 'Refused',
    wantedVersion: '2',
    sentVersion: '2',
    ackedVersion: '1',
    refusedVersion: '2',
    message: 'cannot bind',
  });
  const [listed] = (await call('GET', '/v1/nodes')).body.items;
  assert.equal(listed.status.resources, undefined, 'a list has none');
});

test('the configuration of a node has @type, and neither secrets nor private keys', async t => {
  const { call } = await start(t);
  const { body } = await call('GET', `${NODE}/config`);
  assert.doesNotMatch(JSON.stringify(body), /PRIVATE/);
  const [cluster, , , secret] = body.resources;
  assert.equal(cluster.resource['@type'], CLUSTER_TYPE);
  assert.deepEqual(cluster.redacted, [
    '/transportSocket/typedConfig/commonTlsContext/tlsCertificates/0/privateKey',
  ]);
  assert.equal(
    cluster.resource.transportSocket.typedConfig.commonTlsContext.tlsCertificates[0].privateKey,
    REDACTED,
  );
  assert.deepEqual([secret.resource, secret.note], [null, 'a secret is never shown']);
  const listeners = (await call('GET', `${NODE}/config?type=listeners`)).body.resources;
  assert.deepEqual(
    listeners.map((one: { note: string }) => one.note),
    ['refused; the node has version 1'],
  );
  assert.equal((await call('GET', `${NODE}/config?type=things`)).status, 400);
  assert.equal((await call('GET', '/v1/nodes/none/config')).status, 404);
});

test('a bundle has the node, its resources, plugins and events, and no text of a plugin’s configuration', async t => {
  const { call } = await start(t);
  await call('PUT', `${NODE}/exclusion`, { message: 'see https://ann:pw@wiki.example/1' });
  const { body } = await call('GET', `${NODE}/bundle`);
  const text = JSON.stringify(body);
  assert.doesNotMatch(text, /hush|PRIVATE|ann:pw/);
  assert.deepEqual(
    [body.kind, body.node.metadata.name, body.config.resources.length],
    ['NodeBundle', 'edge-1', 4],
  );
  assert.equal(body.plugins[0].spec.pluginConfig.password, REDACTED);
  assert.deepEqual(
    body.events.map((event: { type: string }) => event.type),
    ['node.excluded'],
  );
  assert.ok(body.redacted.includes('/plugins/0/spec/pluginConfig/password'));
  assert.ok(body.leftOut.some((sentence: string) => /Configurations/.test(sentence)));
});

test('a bundle of a node that is gone says that nothing is known of now', async t => {
  const { call } = await start(t, false);
  const { body } = await call('GET', `${NODE}/bundle`);
  assert.equal(body.config.connected, false);
  assert.match(body.leftOut.at(-1), /not connected/);
});

test('the server side fixes namespace and labels, says what the node says, and lifts it again', async t => {
  const { call, store } = await start(t);
  const set = await call('PATCH', NODE, { namespace: 'edge', labels: { tier: 'gold' }, message: 'customer' });
  assert.deepEqual([set.status, set.body.result], [200, 'configured']);
  assert.match(set.body.text, /namespace edge, label tier=gold\. It gets what selects it now at once/);
  const { metadata, status } = (await call('GET', NODE)).body;
  assert.deepEqual([metadata.namespace, metadata.labels], ['edge', { app: 'gateway', tier: 'gold' }]);
  assert.deepEqual(status.claimed, { namespace: 'default', labels: { app: 'gateway' } });
  assert.equal(status.plugins.find((one: { plugin: string }) => one.plugin === PLUGIN).reason, 'Selector');
  assert.equal((await call('PATCH', NODE, { namespace: 'edge' })).body.result, 'unchanged');
  await call('PATCH', NODE, { claims: 'ignored' });
  assert.deepEqual((await call('GET', NODE)).body.metadata.labels, { tier: 'gold' });
  await call('PATCH', NODE, { namespace: null, labels: { tier: null }, claims: null });
  assert.equal((await call('GET', NODE)).body.status.claimed, null);
  assert.equal((await store.get('NodePolicy', 'edge-1'))?.value.identity, undefined);
  const { items } = (await call('GET', '/v1/events?type=node.configured')).body;
  assert.match(items.at(-1).message, /edge-1 namespace edge, label tier=gold, set by admin: customer/);
});

test('settings that cannot be are refused by name, and nothing is changed', async t => {
  const { call, store } = await start(t);
  for (const [body, status, code] of [
    [{ namespace: 'No Such' }, 422, 'node-setting-wrong'],
    [{ labels: { 'a*': 'b' } }, 422, 'node-setting-wrong'],
    [{ admin: 'http://169.254.169.254' }, 422, 'admin-address-refused'],
    [{ logFile: '../etc/passwd' }, 422, 'node-log-refused'],
    [{ claims: 'maybe' }, 400, 'bad-query'],
  ] as const) {
    const answer = await call('PATCH', NODE, body);
    assert.deepEqual([answer.status, answer.body.code], [status, code], JSON.stringify(answer.body));
  }
  assert.equal(await store.get('NodePolicy', 'edge-1'), undefined);
  assert.equal((await call('PATCH', '/v1/nodes/none', { namespace: 'edge' })).status, 404);
  await call('PUT', '/v1/freeze', {});
  assert.equal((await call('PATCH', NODE, { namespace: 'edge' })).status, 423);
  assert.equal((await call('PATCH', NODE, { admin: 'http://127.0.0.1:9901' })).status, 200);
});

test('without an address and a file, log level and logs say what to do', async t => {
  const { call } = await start(t);
  const level = await call('GET', `${NODE}/log-level`);
  assert.deepEqual([level.status, level.body.code], [409, 'node-admin-unset']);
  assert.match(level.body.hint, /attache node set edge-1 --admin/);
  const logs = await call('GET', `${NODE}/logs`);
  assert.deepEqual([logs.status, logs.body.code], [409, 'node-log-unset']);
  assert.match(logs.body.hint, /--node-log-directory/);
  await call('PATCH', NODE, { admin: 'http://127.0.0.1:9' });
  assert.deepEqual(
    (await call('PUT', `${NODE}/log-level`, { level: 'debug' })).body.code,
    'admin-unreachable',
  );
  assert.equal((await call('PUT', `${NODE}/log-level`, { level: 'loud' })).status, 400);
});

test('what the server side fixes of a node outlives the node; all else said of it goes with time', async t => {
  const store = createMemoryStore();
  const forget = { by: 'admin', message: null, at: NOW - 30 * 24 * 3_600_000 };
  const identity = { namespace: 'edge', labels: {}, claims: 'kept' as const };
  await store.put('NodePolicy', 'fixed', { node: 'fixed', forget, identity });
  await store.put('NodePolicy', 'gone', { node: 'gone', forget, admin: 'http://127.0.0.1:9901' });
  const revoked = { by: 'admin', message: null, at: NOW - 60 * 24 * 3_600_000 };
  await store.put('NodePolicy', 'stolen', { node: 'stolen', forget, revoked });
  await store.put('NodePolicy', 'named', { node: 'named', certificate: 'named.example' });
  await store.put('NodePolicy', 'new', { node: 'new', admin: 'http://127.0.0.1:9901' });
  await store.put('NodePolicy', 'newer', { node: 'newer', logFile: 'newer.log' });
  const api = await startApi(store);
  t.after(async () => {
    await api.stop();
    await store.close();
  });
  await until(async () => (await store.get('NodePolicy', 'gone')) === undefined, {
    what: 'gone to be purged',
  });
  assert.deepEqual((await store.get('NodePolicy', 'fixed'))?.value.identity, identity);
  assert.deepEqual((await store.get('NodePolicy', 'stolen'))?.value.revoked, revoked);
  for (const node of ['named', 'new', 'newer'])
    assert.ok(
      await store.get('NodePolicy', node),
      `${node}: what is set of a node before it connects waits for it`,
    );
});
