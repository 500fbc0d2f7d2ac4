import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findSelectionMiss, selects } from '../../src/model/selector.ts';
import { makePresence, makeSpec } from './records.ts';

const ROOT = 'istio-system';
const { node } = makePresence();
const gatewayLabel = { 'gateway.networking.k8s.io/gateway-name': 'edge' };

test('without a selector it is every node of its namespace, and in the root namespace every node', () => {
  assert.equal(selects(makeSpec(), node, ROOT), true);
  assert.equal(selects(makeSpec({ namespace: 'other' }), node, ROOT), false);
  assert.equal(selects(makeSpec({ namespace: ROOT }), node, ROOT), true);
  assert.equal(selects(makeSpec({ namespace: ROOT }), node, 'elsewhere'), false);
});

test('every label must be there, with its value', () => {
  const by = (matchLabels: Record<string, string>) =>
    selects(makeSpec({ selector: { matchLabels } }), node, ROOT);
  assert.deepEqual(
    [by({}), by({ app: 'gateway' }), by({ app: 'x' }), by({ app: 'gateway', b: '' })],
    [true, true, false, false],
  );
  assert.equal(by({ toString: 'x' }), false);
});

test('one of several targets is enough; a gateway is known by its label, a listener chooses no node', () => {
  const target = (...targetRefs: NonNullable<ReturnType<typeof makeSpec>['targetRefs']>) =>
    selects(makeSpec({ targetRefs }), { ...node, labels: gatewayLabel }, ROOT);
  assert.equal(target({ kind: 'Gateway', name: 'edge' }), true);
  assert.equal(target({ kind: 'Gateway', name: 'x' }), false);
  assert.equal(target({ kind: 'GatewayClass', name: 'edge' }), false);
  assert.equal(target({ kind: 'Gateway', name: 'x' }, { kind: 'Gateway', name: 'edge' }), true);
  assert.equal(target({ kind: 'Listener', name: 'any' }), true);
});

test('the miss names what differs', () => {
  assert.deepEqual(findSelectionMiss(makeSpec({ selector: { matchLabels: { zone: 'a' } } }), node, ROOT), {
    what: 'label',
    key: 'zone',
    wanted: 'a',
    actual: undefined,
  });
});
