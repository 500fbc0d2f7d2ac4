import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findMissingReferences, toMissingText } from '../../src/model/missing-references.ts';
import type { ResourceSpec } from '../../src/model/resource.ts';
import type { FindReferences } from '../../src/model/resource-facts.ts';
import { makeNode } from '../compile/compile-samples.ts';

const find: FindReferences = ({ resource }) =>
  ((resource.needs as readonly string[] | undefined) ?? []).map(name => ({
    type: 'clusters',
    name,
    pointer: '/x',
  }));

function spec(type: string, name: string, over: Partial<ResourceSpec> = {}): ResourceSpec {
  return { type, namespace: 'default', name, resource: { name }, createdAt: 1, ...over };
}

const listener = spec('listeners', 'l', { resource: { name: 'l', needs: ['app', 'attache_modules'] } });

test('what no document gives to a node is missing there; what every Envoy has is not', () => {
  const nodes = [makeNode({ id: 'a' }), makeNode({ id: 'b', labels: { app: 'x' } })];
  const missing = (resources: ResourceSpec[]) =>
    findMissingReferences(listener, resources, nodes, find, 'root').map(one => one.nodes);
  assert.deepEqual(missing([listener]), [['a', 'b']]);
  assert.deepEqual(missing([listener, spec('clusters', 'app')]), []);
  assert.deepEqual(missing([spec('clusters', 'app', { selector: { matchLabels: { app: 'x' } } })]), [['a']]);
  assert.deepEqual(missing([spec('clusters', 'app', { namespace: 'other' })]), [['a', 'b']]);
  assert.deepEqual(missing([spec('clusters', 'app', { namespace: 'root' })]), []);
});

test('where no node is selected yet, a document that has it is enough', () => {
  const missing = (resources: ResourceSpec[]) =>
    findMissingReferences(listener, resources, [], find, 'root').map(one => toMissingText('listener l', one));
  assert.deepEqual(missing([spec('clusters', 'app', { namespace: 'other' })]), []);
  assert.match(missing([])[0] ?? '', /^listener l names cluster app, which no document has: requests to it/);
});
