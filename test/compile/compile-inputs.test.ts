import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompileInputs, toIdentityKey } from '../../src/compile/compile-inputs.ts';
import type { Change } from '../../src/store/store.ts';
import { makeListener, makeNode, makePresence, makeResource, SINGLE } from './compile-samples.ts';

function changeOf(kind: 'ResourceSpec' | 'NodePresence', key: string, value: unknown): Change {
  const stored = value === undefined ? undefined : { key, value, revision: 1, createdRevision: 1 };
  return { kind, key, initial: false, stored } as Change;
}

test('nodes that differ in nothing a snapshot depends on have one key', () => {
  const key = toIdentityKey(makeNode({ labels: { a: '1', b: '2' } }));
  const same = makeNode({
    id: 'other',
    cluster: 'c',
    zone: 'z',
    envoyVersion: '9',
    labels: { b: '2', a: '1' },
    bootstrap: { unanswered: 'deny' },
  });
  assert.equal(toIdentityKey(same), key);
  const listeners = [{ name: 'x', port: 1, trafficDirection: 'INBOUND' as const }];
  for (const other of [
    makeNode(),
    makeNode({ labels: { a: '1', b: '3' } }),
    makeNode({ labels: { a: '1', b: '2' }, namespace: 'x' }),
    makeNode({ labels: { a: '1', b: '2' }, capabilities: SINGLE }),
    makeNode({ labels: { a: '1', b: '2' }, bootstrap: { listeners } }),
  ])
    assert.notEqual(toIdentityKey(other), key);
});

test('a node gets the resources that select it; a deleted one goes', () => {
  const inputs = new CompileInputs('istio-system');
  const put = (key: string, over: object) =>
    inputs.apply(
      changeOf('ResourceSpec', key, makeResource(makeListener({ name: key }), { name: key, ...over })),
    );
  put('all', {});
  put('labelled', { selector: { matchLabels: { app: 'x' } } });
  put('elsewhere', { namespace: 'other' });
  put('everywhere', { namespace: 'istio-system' });
  const namesFor = (labels: Record<string, string>) =>
    inputs.forNode(makeNode({ labels })).inputs.resources.map(spec => spec.name);
  assert.deepEqual(namesFor({}), ['all', 'everywhere']);
  assert.deepEqual(namesFor({ app: 'x' }), ['all', 'labelled', 'everywhere']);
  inputs.apply(changeOf('ResourceSpec', 'all', undefined));
  assert.deepEqual(namesFor({}), ['everywhere']);
});

test('presence is not an input', () => {
  const inputs = new CompileInputs('istio-system');
  assert.equal(inputs.apply(changeOf('NodePresence', 'a', makePresence(makeNode()))), false);
});
