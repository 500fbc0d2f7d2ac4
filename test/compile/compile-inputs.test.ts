import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompileInputs, toIdentityKey } from '../../src/compile/compile-inputs.ts';
import type { Assignment, Moved } from '../../src/model/assignment.ts';
import type { NodeIdentity } from '../../src/model/node.ts';
import { revisionKey } from '../../src/store/record-kinds.ts';
import type { Change } from '../../src/store/store.ts';
import {
  makeAssignment,
  makeListener,
  makeMoved,
  makeNode,
  makePresence,
  makeResource,
  makeRevision,
  makeSide,
  SINGLE,
} from './compile-samples.ts';

function changeOf(
  kind: 'ResourceSpec' | 'NodePresence' | 'Revision' | 'Assignment',
  key: string,
  value: unknown,
): Change {
  const stored = value === undefined ? undefined : { key, value, revision: 1, createdRevision: 1 };
  return { kind, key, initial: false, stored } as Change;
}

function keyed(over: Partial<NodeIdentity> = {}) {
  const node = makeNode(over);
  return { key: toIdentityKey(node), node };
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
  const inputs = new CompileInputs('istio-system', { open: () => undefined });
  let port = 8080;
  const put = (key: string, over: object) => {
    const listener = makeListener({ name: key, port: port++ });
    return inputs.apply(changeOf('ResourceSpec', key, makeResource(listener, { name: key, ...over })));
  };
  put('all', {});
  put('labelled', { selector: { matchLabels: { app: 'x' } } });
  put('elsewhere', { namespace: 'other' });
  put('everywhere', { namespace: 'istio-system' });
  const namesFor = (labels: Record<string, string>) =>
    inputs.forNode(keyed({ labels })).inputs.resources.map(spec => spec.name);
  assert.deepEqual(namesFor({}), ['all', 'everywhere']);
  assert.deepEqual(namesFor({ app: 'x' }), ['all', 'labelled', 'everywhere']);
  inputs.apply(changeOf('ResourceSpec', 'all', undefined));
  assert.deepEqual(namesFor({}), ['everywhere']);
});

test('presence is not an input; a revision is one once a side names it', () => {
  const inputs = new CompileInputs('istio-system', { open: () => undefined });
  assert.equal(inputs.apply(changeOf('NodePresence', 'a', makePresence(makeNode()))), 'nothing');
  const put = (number: number) =>
    inputs.apply(changeOf('Revision', revisionKey('default/auth', number), makeRevision({ number })));
  assert.equal(put(1), 'nothing');
  inputs.apply(
    changeOf(
      'Assignment',
      'default/auth',
      makeAssignment(1, { moved: [makeMoved(makeSide(2), ['edge-1'])] }),
    ),
  );
  const auth = { plugin: 'default/auth' };
  assert.deepEqual([put(1), put(2), put(3)], [auth, auth, 'nothing']);
});

test('nodes are told apart by their sides only while a rollout is under way', () => {
  const inputs = new CompileInputs('istio-system', { open: () => undefined });
  const assign = (moved: readonly Moved[]) =>
    inputs.apply(changeOf('Assignment', 'default/auth', makeAssignment(1, { moved })));
  assign([]);
  assert.equal(inputs.sidesOf('edge-1'), inputs.sidesOf('edge-2'));
  assign([makeMoved(makeSide(2), ['edge-1'])]);
  assert.notEqual(inputs.sidesOf('edge-1'), inputs.sidesOf('edge-2'));
  assign([makeMoved(makeSide(2), 'everyone')]);
  assert.equal(inputs.sidesOf('edge-1'), inputs.sidesOf('edge-2'));
  inputs.apply(changeOf('Assignment', 'default/auth', undefined));
  assert.equal(inputs.sidesOf('edge-1'), '');
});

/** With revisions 1 and 2 of default/auth. */
function withRevisions(): CompileInputs {
  const inputs = new CompileInputs('istio-system', { open: () => undefined });
  for (const number of [1, 2])
    inputs.apply(changeOf('Revision', revisionKey('default/auth', number), makeRevision({ number })));
  return inputs;
}

test('an Assignment changes a node where another revision, another listener or another age comes of it', () => {
  const isSame = (before: Assignment | undefined, after: Assignment | undefined) => {
    const inputs = withRevisions();
    inputs.apply(changeOf('Assignment', 'default/auth', before));
    const had = inputs.forNode(keyed()).inputs;
    inputs.apply(changeOf('Assignment', 'default/auth', after));
    const has = inputs.turnOf({ plugin: 'default/auth' }, () => {})(had, keyed());
    assert.deepEqual(has, inputs.forNode(keyed()).inputs, 'a turn leads to what the records say');
    return has === had;
  };
  const one = makeAssignment(1);
  const onIngress = { targetRefs: [{ kind: 'Listener', name: 'ingress' }] } as const;
  const elsewhere = { selector: { matchLabels: { app: 'x' } } };
  assert.ok(isSame(one, makeAssignment(1, { since: 9, held: { specRevision: 3, revision: 2 } })));
  assert.ok(isSame(one, makeAssignment(1, { moved: [makeMoved(makeSide(2), ['edge-2'])] })));
  assert.ok(isSame(undefined, makeAssignment(1, { base: makeSide(1, elsewhere) })));
  assert.ok(!isSame(one, makeAssignment(1, { moved: [makeMoved(makeSide(2), ['edge-1'])] })));
  assert.ok(!isSame(one, makeAssignment(1, { base: makeSide(1, onIngress) })));
  assert.ok(!isSame(one, makeAssignment(1, { createdAt: 2 })));
  assert.ok(!isSame(one, undefined));
});

test('nodes that had the same and get the same share it after a change, whatever their labels', () => {
  const inputs = withRevisions();
  inputs.apply(changeOf('Assignment', 'default/auth', makeAssignment(1)));
  const had = inputs.forNode(keyed()).inputs;
  const moved = [makeMoved(makeSide(2), ['edge-1', 'edge-2'])];
  inputs.apply(changeOf('Assignment', 'default/auth', makeAssignment(1, { moved })));
  const turn = inputs.turnOf({ plugin: 'default/auth' }, () => {});
  const get = (id: string) => turn(had, keyed({ id, labels: { of: id } }));
  assert.equal(get('edge-1'), get('edge-2'));
  assert.notEqual(get('edge-1'), had);
  assert.equal(get('edge-3'), had);
});

test('of two listeners on one address a node gets the older one, and the other one is told', () => {
  const inputs = new CompileInputs('istio-system', { open: () => undefined });
  const put = (name: string, createdAt: number) =>
    inputs.apply(changeOf('ResourceSpec', name, makeResource(makeListener({ name }), { name, createdAt })));
  put('young', 2);
  put('old', 1);
  const { inputs: found, addressConflicts } = inputs.forNode(keyed());
  assert.deepEqual(
    found.resources.map(({ name }) => name),
    ['old'],
  );
  assert.deepEqual(
    addressConflicts.map(({ address, kept, dropped }) => [address, kept.name, dropped.name]),
    [['tcp 127.0.0.1:8080', 'old', 'young']],
  );
});

test('a secret is opened for the nodes; one that does not open is left out, and told', () => {
  const open = (sealed: string) => (sealed === 'good' ? '{"name":"tls","key":"S3CRET"}' : undefined);
  const inputs = new CompileInputs('istio-system', { open });
  const put = (name: string, sealed: string) =>
    inputs.apply(
      changeOf('ResourceSpec', `secrets/default/${name}`, {
        ...makeResource({ name: 'tls', key: '[redacted]' }, { type: 'secrets', name }),
        sealed,
      }),
    );
  put('tls', 'good');
  put('other', 'bad');
  const { inputs: found, closed } = inputs.forNode(keyed());
  assert.deepEqual(
    found.resources.map(({ resource }) => resource.key),
    ['S3CRET'],
  );
  assert.deepEqual(closed, ['secrets/default/other']);
});

test('nodes that a group names by their ids are told apart, on every side that there is', () => {
  const inputs = new CompileInputs('istio-system', { open: () => undefined });
  const sideOf = (...nodes: readonly string[]) =>
    makeSide(1, { targetRefs: [{ kind: 'NodeGroup', name: 'g', members: { nodes } }] });
  const put = (assignment: Assignment | undefined): void => {
    inputs.apply(changeOf('Assignment', 'default/auth', assignment));
  };
  assert.equal(inputs.sidesOf('edge-1'), '', 'nothing tells nodes apart');
  put(makeAssignment(1, { base: sideOf('edge-1') }));
  assert.notEqual(inputs.sidesOf('edge-1'), inputs.sidesOf('edge-2'));
  assert.equal(inputs.sidesOf('edge-2'), inputs.sidesOf('edge-3'));
  const moved = makeMoved(sideOf('edge-3'), ['edge-9']);
  put(makeAssignment(1, { base: sideOf('edge-1'), moved: [moved] }));
  assert.notEqual(inputs.sidesOf('edge-2'), inputs.sidesOf('edge-3'));
  put(undefined);
  assert.equal(inputs.sidesOf('edge-1'), '');
});
