import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NodePolicies } from '../../../src/xds/identity/node-policies.ts';

test('a name is for its own node until a policy gives the name or the node away', () => {
  const policies = new NodePolicies();
  assert.deepEqual(policies.nodesOf('a', 'a'), ['a']);
  assert.deepEqual(policies.nodesOf('x', undefined), []);
  policies.set('b', { node: 'b', certificate: 'a' });
  policies.set('c', { node: 'c', certificate: 'a' });
  assert.deepEqual(policies.nodesOf('a', 'a'), ['b', 'c']);
  assert.deepEqual(policies.nodesOf('b', 'b'), [], 'the node has another name');
  policies.set('b', { node: 'b' });
  assert.deepEqual(policies.nodesOf('a', 'a'), ['c']);
  policies.set('c', undefined);
  assert.deepEqual(policies.nodesOf('a', 'a'), ['a']);
  assert.deepEqual(policies.nodesOf('b', 'b'), ['b']);
});

test('nothing is revoked until it is', () => {
  const policies = new NodePolicies();
  assert.equal(policies.revokedAt('a'), 0);
  policies.set('a', { node: 'a', revoked: { by: 'ada', message: null, at: 5 } });
  assert.equal(policies.revokedAt('a'), 5);
});
