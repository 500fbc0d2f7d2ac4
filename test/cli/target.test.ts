import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toRegistryTarget } from '../../src/cli/registry-target.ts';
import { parseName, parseTarget } from '../../src/cli/target.ts';

test('NAME, NAMESPACE/NAME and -n', () => {
  assert.deepEqual(parseName('auth', undefined), { namespace: 'default', name: 'auth' });
  assert.deepEqual(parseName('auth', 'edge'), { namespace: 'edge', name: 'auth' });
  assert.deepEqual(parseName('edge/auth', 'other'), { namespace: 'edge', name: 'auth' });
  for (const bad of ['', '/', 'a/', '/b', 'a/b/c'])
    assert.throws(() => parseName(bad, undefined), { code: 'bad-usage' });
});

test('a kind in the singular or plural becomes a path', () => {
  assert.equal(parseTarget('plugin', 'edge/auth', undefined).path, '/v1/plugins/edge/auth');
  assert.equal(parseTarget('Listeners', 'ingress', 'edge').path, '/v1/resources/listeners/edge/ingress');
  assert.equal(parseTarget('node', 'edge 1/x', undefined).path, '/v1/nodes/edge%201%2Fx');
  assert.throws(() => parseTarget('deployment', 'x', undefined), { code: 'bad-usage' });
});

test('a reference without a host goes to the built-in registry', () => {
  const server = 'http://127.0.0.1:18002';
  const built = { reference: '127.0.0.1:18002/auth:1.4', host: '127.0.0.1:18002', builtIn: true };
  assert.deepEqual(toRegistryTarget('auth:1.4', server), built);
  assert.deepEqual(toRegistryTarget('oci://127.0.0.1:18002/auth:1.4', server), built);
  assert.equal(toRegistryTarget('team/auth', server).reference, '127.0.0.1:18002/team/auth:latest');
  assert.equal(toRegistryTarget('registry.example/team/auth:1', server).host, 'registry.example');
  assert.equal(toRegistryTarget('localhost/auth:1', server).host, 'localhost');
  for (const bad of ['', 'Auth:1', 'auth:', 'a b:1', 'auth@sha256:00'])
    assert.throws(() => toRegistryTarget(bad, server), { code: 'bad-usage' }, bad);
});
