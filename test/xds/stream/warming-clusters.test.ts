import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ProtoRegistry } from '../../../src/compile/proto-registry.ts';
import { CLUSTER_TYPE, ENDPOINT_TYPE, LISTENER_TYPE } from '../../../src/model/type-url.ts';
import { newSubscription } from '../../../src/xds/stream/subscription.ts';
import { askAgain, awaitEndpoints, endpointsOf } from '../../../src/xds/stream/warming-clusters.ts';
import { toResources } from '../sotw/type-story.ts';
import { toEdsCluster } from './many-streams-story.ts';

const registry = new ProtoRegistry();
const CLUSTER = registry.lookup('envoy.config.cluster.v3.Cluster');
const ANY = registry.lookup('google.protobuf.Any');

function toAny(cluster: object): Uint8Array {
  const value = CLUSTER.encode(CLUSTER.fromObject(cluster)).finish();
  return ANY.encode({ type_url: CLUSTER_TYPE, value }).finish();
}

test('a cluster of type EDS asks for its endpoints by its service name, or by its own; others ask for none', () => {
  const edsConfig = { ads: {}, resourceApiVersion: 'V3' };
  const table: readonly [object, string | undefined][] = [
    [{ name: 'c', type: 'EDS', edsClusterConfig: { edsConfig } }, 'c'],
    [{ name: 'c', type: 'EDS', edsClusterConfig: { edsConfig, serviceName: 's' } }, 's'],
    [{ name: 'c', type: 'EDS' }, 'c'],
    [{ name: 'c', type: 'STATIC', connectTimeout: { seconds: 5 } }, undefined],
    [{ name: 'c', type: 'STRICT_DNS' }, undefined],
    [{ name: 'c', clusterType: { name: 'envoy.clusters.aggregate' } }, undefined],
  ];
  for (const [cluster, name] of table)
    assert.equal(endpointsOf(toAny(cluster)), name, JSON.stringify(cluster));
});

test('bytes that are no cluster ask for none', () => {
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('a@1'),
    Buffer.from('ff', 'hex'),
    Buffer.from('120101', 'hex'),
  ])
    assert.equal(endpointsOf(bytes), undefined);
});

test('endpoints are awaited from the cluster on, and until they are sent', () => {
  const cluster = { typeUrl: CLUSTER_TYPE, name: 'c', version: '1', any: toEdsCluster('c', '1', 's') };
  const awaited = awaitEndpoints(new Set(['t']), CLUSTER_TYPE, { resources: [cluster], removed: [] });
  assert.deepEqual([...awaited], ['t', 's']);
  const endpoints = { resources: [...toResources('s@1', ENDPOINT_TYPE).values()], removed: [] };
  assert.deepEqual([...awaitEndpoints(awaited, ENDPOINT_TYPE, endpoints)], ['t']);
  assert.equal(awaitEndpoints(awaited, LISTENER_TYPE, endpoints), awaited);
});

test('what is awaited is due where it was asked for, and is there', () => {
  const state = { ...newSubscription('part'), names: new Set(['s', 'gone']) };
  const awaited = new Set(['s', 'gone', 'of nobody']);
  const resources = toResources('s@1 other@1', ENDPOINT_TYPE);
  assert.deepEqual([...askAgain(state, ENDPOINT_TYPE, awaited, resources).asked], ['s']);
  assert.equal(askAgain(state, CLUSTER_TYPE, awaited, resources), state);
  assert.equal(askAgain(state, ENDPOINT_TYPE, new Set(['of nobody']), resources), state);
});
