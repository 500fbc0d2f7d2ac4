import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NodeView } from '../../src/api/schema/node-view.ts';
import { hasLabels, sortNodes } from '../../src/cli/node-order.ts';
import { nodeView } from './views.ts';

function node(name: string, status: Partial<NodeView['status']> = {}, firstSeenAt?: string): NodeView {
  const view = nodeView(status);
  const seen = firstSeenAt === undefined ? {} : { firstSeenAt };
  return { ...view, metadata: { ...view.metadata, name, ...seen } };
}

const names = (nodes: readonly NodeView[]) => nodes.map(({ metadata }) => metadata.name).join(' ');

test('C-B6: by state what is gone or worst comes first', () => {
  const nodes = [
    node('good-10'),
    node('good-2'),
    node('idle', { worst: null }),
    node('bad', { worst: 'Refused' }),
    node('slow', { worst: 'Fetching' }),
    node('gone', { state: 'Disconnected' }),
  ];
  assert.equal(names(sortNodes(nodes, 'state')), 'gone bad slow good-2 good-10 idle');
  assert.equal(names(sortNodes(nodes, 'name')), 'bad gone good-2 good-10 idle slow');
});

test('by zone, Envoy and age', () => {
  const nodes = [
    node('a', { zone: 'z2', envoyVersion: '1.40.0' }, '2026-11-21T10:00:00.000Z'),
    node('b', { zone: 'z1', envoyVersion: '1.9.0' }, '2026-11-21T11:00:00.000Z'),
  ];
  assert.equal(names(sortNodes(nodes, 'zone')), 'b a');
  assert.equal(names(sortNodes(nodes, 'envoy')), 'b a');
  assert.equal(names(sortNodes(nodes, 'age')), 'b a');
});

test('a selector wants all of its labels', () => {
  assert.equal(hasLabels(node('a'), { role: 'edge' }), true);
  assert.equal(hasLabels(node('a'), { role: 'edge', zone: 'c' }), false);
  assert.equal(hasLabels(node('a'), { toString: 'x' }), false);
  assert.equal(hasLabels(node('a'), {}), true);
});
