import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findNameConflicts, keepOldest } from '../../src/model/name-conflicts.ts';
import type { ResourceSpec } from '../../src/model/resource.ts';
import { makeListener, makeNode, makeResource } from '../compile/compile-samples.ts';

function listener(name: string, over: Partial<ResourceSpec> = {}): ResourceSpec {
  return makeResource(makeListener(), { name, ...over });
}

function dropped(specs: ResourceSpec[], nodes = [makeNode()]): string[] {
  return findNameConflicts(specs, nodes, 'istio-system').map(conflict => conflict.dropped.name);
}

test('two documents for the same nodes: the younger one is dropped', () => {
  assert.deepEqual(dropped([listener('young', { createdAt: 2 }), listener('old')]), ['young']);
  assert.deepEqual(dropped([listener('b'), listener('a')], []), ['b']);
});

test('other namespaces, types and Envoy names do not meet; the root namespace meets every one', () => {
  assert.deepEqual(dropped([listener('a'), listener('b', { namespace: 'other' })]), []);
  assert.deepEqual(dropped([listener('a'), listener('b', { namespace: 'istio-system' })]), ['b']);
  assert.deepEqual(dropped([listener('a'), makeResource(makeListener({ name: 'x' }), { name: 'b' })]), []);
  assert.deepEqual(dropped([listener('a'), listener('b', { type: 'clusters' })]), []);
});

test('selectors: a subset always meets, an overlap only where a node has both', () => {
  const select = (matchLabels: Record<string, string>) => ({ selector: { matchLabels } });
  const app = listener('app', select({ app: 'x' }));
  assert.deepEqual(dropped([app, listener('both', select({ app: 'x', tier: 'y' }))], []), ['both']);
  const tier = listener('tier', select({ tier: 'y' }));
  assert.deepEqual(dropped([app, tier]), []);
  assert.deepEqual(dropped([app, tier], [makeNode({ labels: { app: 'x', tier: 'y' } })]), ['tier']);
  assert.deepEqual(dropped([app, listener('other', select({ app: 'z' }))]), []);
});

test('for one node the oldest document of each name is kept', () => {
  const { kept, conflicts } = keepOldest([listener('c', { createdAt: 3 }), listener('a'), listener('b')]);
  assert.deepEqual(
    kept.map(spec => spec.name),
    ['a'],
  );
  assert.deepEqual(
    conflicts.map(conflict => conflict.dropped.name),
    ['b', 'c'],
  );
});
