import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeCheckResource } from '../../src/compile/check-resource.ts';
import type { CompileError } from '../../src/compile/compile-error.ts';
import type { ResourceSpec } from '../../src/model/resource.ts';
import { makeListener, makeResource, registry } from './compile-samples.ts';

const check = makeCheckResource(registry);

async function refusal(spec: ResourceSpec): Promise<[string, string[]]> {
  const error = await check(spec).then(
    () => assert.fail('accepted'),
    (thrown: CompileError) => thrown,
  );
  return [error.code, error.faults.map(fault => fault.pointer)];
}

test('a good listener has its type and name and no warning', async () => {
  assert.deepEqual(await check(makeResource(makeListener())), {
    typeUrl: 'type.googleapis.com/envoy.config.listener.v3.Listener',
    envoyName: 'ingress',
    warnings: [],
    sensitive: [],
  });
});

test('an endpoint assignment goes by its cluster name', async () => {
  const resource = {
    '@type': 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
    cluster_name: 'c',
  };
  assert.equal((await check(makeResource(resource, { type: 'endpoints' }))).envoyName, 'c');
  assert.deepEqual(await refusal(makeResource({ '@type': resource['@type'] }, { type: 'endpoints' })), [
    'wrong-resource',
    ['/cluster_name'],
  ]);
});

test('a resource of another kind, of no xDS type, or without a name is refused', async () => {
  assert.deepEqual(await refusal(makeResource(makeListener(), { type: 'clusters' })), [
    'wrong-resource',
    ['/@type'],
  ]);
  const filter = { '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC' };
  assert.deepEqual(await refusal(makeResource(filter)), ['wrong-resource', ['/@type']]);
  assert.deepEqual(await refusal(makeResource({}, { type: 'listeners' })), ['wrong-resource', ['/@type']]);
  assert.deepEqual(await refusal(makeResource(makeListener({ rest: { name: '' } }))), [
    'wrong-resource',
    ['/name'],
  ]);
});

test('faults of the proto keep their pointers', async () => {
  assert.deepEqual(await refusal(makeResource(makeListener({ rest: { addres: {} } }))), [
    'unknown-field',
    ['/addres'],
  ]);
});

test('what is legal but will not do what one expects is warned of', async () => {
  const warningsOf = async (spec: ResourceSpec) => (await check(spec)).warnings.length;
  assert.equal(await warningsOf(makeResource(makeListener({ rest: { filter_chains: [] } }))), 1);
  assert.equal(await warningsOf(makeResource(makeListener({ filters: [] }))), 1);
  const cluster = { '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster', name: 'c' };
  assert.equal(await warningsOf(makeResource(cluster, { unanswered: 'allow' })), 1);
});

test('no resource takes the place of plugins', async () => {
  const resource = {
    '@type': 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig',
    name: 'attache.authn/ingress',
  };
  assert.deepEqual(await refusal(makeResource(resource, { type: 'extensions' })), [
    'wrong-resource',
    ['/name'],
  ]);
});
