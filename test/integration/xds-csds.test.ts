/** CSDS over a real connection: who is told of, and each status as it comes about. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { status as grpcStatus } from '@grpc/grpc-js';
import { SECRET_TYPE } from '../../src/model/type-url.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { DebugClient, describeConfigs, type Message } from '../harness/debug-client.ts';
import { until } from '../harness/wait.ts';
import { accept, CDS, ECDS, EDS, LDS, NODE, setUp, type World } from './xds-scene.ts';

const STREAM = 'envoy.service.status.v3.ClientStatusDiscoveryService.StreamClientStatus';
const FETCH = 'envoy.service.status.v3.ClientStatusDiscoveryService.FetchClientStatus';

async function setUpStatus(t: TestContext, world?: World) {
  const scene = await setUp(t, world);
  const client = stopAfter(t, new DebugClient(scene.server.address.port));
  const lines = async (): Promise<readonly string[]> => {
    const answer = await client.unary(FETCH, { exclude_resource_contents: true });
    return describeConfigs(answer.config[0]);
  };
  return { ...scene, client, lines };
}

/** Waits until the one node's resources read so. */
async function waitFor(lines: () => Promise<readonly string[]>, wanted: readonly string[]): Promise<void> {
  const isSo = async () => assert.deepEqual(await lines(), wanted) ?? true;
  await until(isSo, { what: wanted.join(', '), deadlineMs: 5_000 });
}

test('CSDS: NOT_SENT before it is asked for, STALE while it is out, SYNCED after the ACK', async t => {
  const { open, set, lines } = await setUpStatus(t, { clusters: 'a@1', endpoints: 'a@1' });
  const stream = open().ask(CDS);
  const response = await stream.next();
  await waitFor(lines, ['Cluster a@1 STALE', 'ClusterLoadAssignment a@1 NOT_SENT']);
  stream.answer(response);
  await waitFor(lines, ['Cluster a@1 SYNCED', 'ClusterLoadAssignment a@1 NOT_SENT']);
  stream.ask(EDS, ['a']);
  await stream.accept();
  await waitFor(lines, ['Cluster a@1 SYNCED', 'ClusterLoadAssignment a@1 SYNCED']);
  set({ clusters: 'a@1 b@1', endpoints: 'a@1' });
  const second = await stream.next();
  await waitFor(lines, ['Cluster a@1 SYNCED', 'Cluster b@1 STALE', 'ClusterLoadAssignment a@1 SYNCED']);
  stream.answer(second);
  await waitFor(lines, ['Cluster a@1 SYNCED', 'Cluster b@1 SYNCED', 'ClusterLoadAssignment a@1 SYNCED']);
});

test('CSDS: ERROR after a NACK with the refused version and Envoy’s text, SYNCED when a new one is taken', async t => {
  const { open, set, lines, client } = await setUpStatus(t, { listeners: 'a@1 b@1' });
  const stream = open().ask(LDS);
  await stream.accept();
  set({ listeners: 'a@2 b@1' });
  stream.answer(await stream.next(), 'Error adding/updating listener(s) a: no such filter\n');
  await waitFor(lines, ['Listener a@2 ERROR', 'Listener b@1 SYNCED']);
  const [config] = await client.status();
  const { error_state: error } = config.generic_xds_configs[0];
  assert.equal(error.details, 'Error adding/updating listener(s) a: no such filter');
  assert.equal(error.version_info, '2');
  assert.ok(error.last_update_attempt.seconds > 1_600_000_000);
  assert.equal(config.generic_xds_configs[1].error_state, undefined);
  set({ listeners: 'a@3 b@1' });
  await stream.accept();
  await waitFor(lines, ['Listener a@3 SYNCED', 'Listener b@1 SYNCED']);
});

test('CSDS: a removal is told until the node has taken it', async t => {
  const { open, set, lines } = await setUpStatus(t, { clusters: 'a@1 b@1' });
  const stream = open().ask(CDS);
  await stream.accept();
  set({ clusters: 'a@1' });
  const response = await stream.next();
  await waitFor(lines, ['Cluster a@1 SYNCED', 'Cluster b@ STALE']);
  stream.answer(response);
  await waitFor(lines, ['Cluster a@1 SYNCED']);
});

test('CSDS: what stands in a place is an extension config', async t => {
  const { open, lines } = await setUpStatus(t, { slots: { authn: 'a@1' } });
  const stream = open().ask(ECDS, ['authn']);
  const response = await stream.next();
  const version = response.resources[0]?.version ?? '';
  await waitFor(lines, [`TypedExtensionConfig authn@${version} STALE`]);
  stream.answer(response);
  await waitFor(lines, [`TypedExtensionConfig authn@${version} SYNCED`]);
});

test('CSDS: UNKNOWN for a node that is gone, and for one that has not come back since our start', async t => {
  const { open, lines } = await setUpStatus(t, { clusters: 'a@1' });
  const stream = open().ask(CDS);
  await stream.accept();
  await waitFor(lines, ['Cluster a@1 SYNCED']);
  stream.cancel();
  await waitFor(lines, ['Cluster a@1 UNKNOWN']);
  const again = open().ask(CDS, [], { a: '1' });
  await waitFor(lines, ['Cluster a@1 SYNCED']);
  again.cancel();
});

test('CSDS: secrets are named and never shown', async t => {
  const { open, set, client, lines } = await setUpStatus(t, {});
  set({ secrets: 'key@1', clusters: 'a@1' });
  const stream = open().ask(CDS).ask(SECRET_TYPE, ['key']);
  await stream.accept();
  await stream.accept();
  await waitFor(lines, ['Cluster a@1 SYNCED', 'Secret key@1 SYNCED']);
  const answer = await client.unary(FETCH, {});
  const [cluster, secret] = answer.config[0].generic_xds_configs;
  assert.equal(secret.xds_config, undefined);
  assert.equal(cluster.xds_config.type_url, CDS);
  assert.equal(Buffer.from(cluster.xds_config.value).toString(), 'a@1');
});

test('CSDS: contents are left out on demand, versions stay', async t => {
  const { open, client } = await setUpStatus(t, { clusters: 'a@1' });
  await accept(open().ask(CDS));
  const answer = await client.unary(FETCH, { exclude_resource_contents: true });
  const [cluster] = answer.config[0].generic_xds_configs;
  assert.equal(cluster.xds_config, undefined);
  assert.equal(cluster.version_info, '1');
});

test('CSDS: a stream answers each request as things stand, and ends when the client does', async t => {
  const { open, client, set } = await setUpStatus(t, { clusters: 'a@1' });
  const status = client.stream(STREAM);
  assert.equal((await status.send({}).next()).config, undefined);
  const stream = open().ask(CDS);
  await stream.accept();
  await until(async () => describeConfigs((await status.send({}).next()).config[0])[0]?.endsWith('SYNCED'), {
    what: 'SYNCED',
  });
  set({ clusters: 'a@1' }, 'edge-2');
  open('edge-2').ask(CDS);
  await until(async () => (await status.send({}).next()).config.length === 2, { what: 'two nodes' });
  status.halfClose();
  assert.equal((await status.ended).code, grpcStatus.OK);
});

test('CSDS: matchers are OR-ed, the parts of one AND-ed', async t => {
  const { open, client, presence } = await setUpStatus(t);
  for (const node of ['edge-1', 'edge-2', 'core-1']) open(node).ask(CDS);
  await until(async () => (await presence('core-1'))?.connected && (await presence('edge-2'))?.connected, {
    what: 'three nodes',
  });
  const ids = async (...matchers: Message[]) => (await client.status(...matchers)).map(it => it.node.id);
  assert.deepEqual(await ids(), ['core-1', 'edge-1', 'edge-2']);
  assert.deepEqual(await ids({ node_id: { exact: NODE } }), ['edge-1']);
  assert.deepEqual(await ids({ node_id: { exact: NODE } }, { node_id: { prefix: 'core' } }), [
    'core-1',
    'edge-1',
  ]);
  assert.deepEqual(await ids({ node_id: { safe_regex: { regex: '.*-1' } } }), ['core-1', 'edge-1']);
  const inDefault = { path: [{ key: 'NAMESPACE' }], value: { string_match: { exact: 'default' } } };
  assert.deepEqual(await ids({ node_id: { suffix: '-2' }, node_metadatas: [inDefault] }), ['edge-2']);
  const elsewhere = { path: [{ key: 'NAMESPACE' }], value: { string_match: { exact: 'other' } } };
  assert.deepEqual(await ids({ node_id: { suffix: '-2' }, node_metadatas: [elsewhere] }), []);
});

test('CSDS: a matcher that cannot be used ends the request with INVALID_ARGUMENT and its path, and no other', async t => {
  const { client } = await setUpStatus(t);
  for (const [matcher, path] of [
    [{}, /node_matchers\[0\] says nothing/],
    [{ node_id: { safe_regex: { regex: '(' } } }, /node_matchers\[0\]\.node_id\.safe_regex/],
    [{ node_metadatas: [{ path: [], value: { bool_match: true } }] }, /node_metadatas\[0\]\.path/],
  ] as const)
    await assert.rejects(client.status(matcher), { code: grpcStatus.INVALID_ARGUMENT, details: path });
  const stream = client.stream(STREAM).send({ node_matchers: [{}] });
  assert.equal((await stream.ended).code, grpcStatus.INVALID_ARGUMENT);
  assert.deepEqual(await client.status(), []);
});
