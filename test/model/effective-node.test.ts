import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toEffectiveNode, toEffectivePresence } from '../../src/model/effective-node.ts';
import type { NodePolicy } from '../../src/model/fleet-records.ts';
import { makePresence } from './records.ts';

const presence = makePresence({}, { namespace: 'edge', labels: { app: 'gateway', zone: 'a' } });
const identity = (over: Partial<NonNullable<NodePolicy['identity']>>) => ({
  identity: { labels: {}, claims: 'kept' as const, ...over },
});

test('without settings a node is what it says, the same object', () => {
  assert.equal(toEffectiveNode(presence.node), presence.node);
  assert.equal(toEffectivePresence(presence, undefined), presence);
  assert.equal(toEffectivePresence(presence, {}), presence);
});

test('what is fixed stands over what a node says; the rest stays', () => {
  const { namespace, labels, id } = toEffectiveNode(
    presence.node,
    identity({ namespace: 'core', labels: { app: 'api' } }),
  );
  assert.deepEqual([id, namespace, labels], ['edge-1', 'core', { app: 'api', zone: 'a' }]);
});

test('where its own word does not count a node is in the default namespace and has no labels, unless a policy says so', () => {
  const node = { ...presence.node, claims: 'ignored' } as const;
  const said = ({ namespace, labels }: typeof presence.node) => [namespace, labels];
  assert.deepEqual(said(toEffectiveNode(node)), ['default', {}]);
  assert.deepEqual(said(toEffectiveNode(node, { identity: { namespace: 'core', labels: { a: 'b' } } })), [
    'core',
    { a: 'b' },
  ]);
  assert.deepEqual(said(toEffectiveNode(node, identity({ claims: 'kept' }))), said(presence.node));
});

test('with claims ignored only what is fixed counts', () => {
  const { namespace, labels } = toEffectiveNode(
    presence.node,
    identity({ labels: { app: 'api' }, claims: 'ignored' }),
  );
  assert.deepEqual([namespace, labels], ['default', { app: 'api' }]);
});
