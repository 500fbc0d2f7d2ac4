import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeResource } from '../../src/compile/encode-resource.ts';
import { toEnvoyName } from '../../src/model/resource.ts';
import { LISTENER, makeListener, registry } from './compile-samples.ts';

test('the version is the hash of the bytes: equal content, equal version', () => {
  const encode = (port: number) =>
    encodeResource(registry, { typeUrl: LISTENER, name: 'ingress', json: makeListener({ port }) });
  assert.deepEqual(encode(1), encode(1));
  assert.notEqual(encode(1).version, encode(2).version);
});

test('the Envoy name is cluster_name for endpoints and name for the rest; an empty one is none', () => {
  const endpoints = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment';
  assert.equal(toEnvoyName({ '@type': endpoints, cluster_name: 'a', name: 'b' }), 'a');
  assert.equal(toEnvoyName({ '@type': endpoints, clusterName: 'a' }), 'a');
  assert.equal(toEnvoyName({ '@type': LISTENER, name: 'b' }), 'b');
  assert.equal(toEnvoyName({ '@type': LISTENER, name: '' }), undefined);
  assert.equal(toEnvoyName({ '@type': LISTENER, name: 7 }), undefined);
});
