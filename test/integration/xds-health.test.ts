/** Health and reflection on the xDS port, over real connections. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { status } from '@grpc/grpc-js';
import { loadServiceProtos } from '../../src/xds/reflection/service-protos.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { DebugClient } from '../harness/debug-client.ts';
import { setUp } from './xds-scene.ts';

const HEALTH = 'grpc.health.v1.Health';
const ADS = 'envoy.service.discovery.v3.AggregatedDiscoveryService';
const REFLECTIONS = ['grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'];

async function setUpDebug(t: TestContext) {
  const { server } = await setUp(t, { clusters: 'a@1' });
  const client = stopAfter(t, new DebugClient(server.address.port));
  const listed = async (service: string): Promise<readonly string[]> => {
    const stream = client.stream(`${service}.ServerReflectionInfo`).send({ list_services: '*' });
    const { list_services_response: answer } = await stream.next();
    stream.halfClose();
    return answer.service.map((it: { name: string }) => it.name);
  };
  return { server, client, listed };
}

test('health: the server and every service that reflection lists are SERVING; another is NOT_FOUND', async t => {
  const { client, listed } = await setUpDebug(t);
  for (const service of ['', ...(await listed(REFLECTIONS[0] ?? ''))])
    assert.equal((await client.unary(`${HEALTH}.Check`, { service })).status, 'SERVING', service);
  await assert.rejects(client.unary(`${HEALTH}.Check`, { service: 'nobody' }), { code: status.NOT_FOUND });
});

test('health: who watches is told NOT_SERVING when the server stops, and is let go', async t => {
  const { client, server } = await setUpDebug(t);
  const whole = client.watch(`${HEALTH}.Watch`, { service: '' });
  const ads = client.watch(`${HEALTH}.Watch`, { service: ADS });
  for (const stream of [whole, ads]) assert.equal((await stream.next()).status, 'SERVING');
  const stopped = server.stop();
  for (const stream of [whole, ads]) assert.equal((await stream.next()).status, 'NOT_SERVING');
  await stopped;
  await Promise.all([whole.ended, ads.ended]);
});

for (const reflection of REFLECTIONS) {
  test(`reflection: ${reflection} lists what is served, itself too`, async t => {
    const { listed } = await setUpDebug(t);
    const services = await listed(reflection);
    for (const service of [
      ADS,
      'envoy.service.metrics.v3.MetricsService',
      'envoy.service.status.v3.ClientStatusDiscoveryService',
      HEALTH,
      ...REFLECTIONS,
    ])
      assert.ok(services.includes(service), service);
  });
}

test('reflection: every service and every message of it is described, with the files that it needs', async t => {
  const { client, listed } = await setUpDebug(t);
  const stream = client.stream(`${REFLECTIONS[0]}.ServerReflectionInfo`);
  for (const service of await listed(REFLECTIONS[0] ?? '')) {
    const answer = await stream.send({ file_containing_symbol: service }).next();
    assert.ok(answer.file_descriptor_response.file_descriptor_proto.length > 0, service);
    assert.equal(answer.original_request.file_containing_symbol, service);
  }
  for (const { path } of loadServiceProtos().files) {
    const answer = await stream.send({ file_by_filename: path }).next();
    assert.ok(answer.file_descriptor_response.file_descriptor_proto.length > 0, path);
  }
  const unknown = await stream.send({ file_containing_symbol: 'envoy.nothing' }).next();
  assert.equal(unknown.error_response.error_code, status.NOT_FOUND);
  stream.halfClose();
  assert.equal((await stream.ended).code, status.OK);
});
