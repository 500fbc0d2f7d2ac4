import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ResourceCompiler } from '../../src/compile/resource-compiler.ts';
import { LISTENER_TYPE } from '../../src/model/type-url.ts';
import { revisionKey } from '../../src/store/record-kinds.ts';
import {
  makeAssignment,
  makeListener,
  makeNode,
  makePresence,
  makeResource,
  registry,
  SINGLE,
} from './compile-samples.ts';
import { revisionIn, settle, setUp } from './reconciler-scene.ts';

test('the first pass is complete when the start resolves; equal nodes share one object', async t => {
  const world = setUp(t);
  await world.putPlugin(1);
  await world.putNode(makeNode({ id: 'a' }));
  await world.putNode(makeNode({ id: 'b', envoyVersion: '1.39.3' }));
  await world.putNode(makeNode({ id: 'old', capabilities: SINGLE }), { connected: false });
  await world.start();
  const { snapshots } = world;
  assert.equal(revisionIn(snapshots.get('a')), 1);
  assert.equal(snapshots.get('a'), snapshots.get('b'));
  assert.notEqual(snapshots.get('a'), snapshots.get('old'));
});

test('presence that says nothing new of the node wakes nobody; a new identity moves that node alone', async t => {
  const world = setUp(t);
  await world.putPlugin(1);
  await world.putNode(makeNode({ id: 'a' }));
  await world.putNode(makeNode({ id: 'b' }));
  await world.start();
  world.changed.length = 0;
  const before = world.snapshots.get('a');
  await world.putNode(makeNode({ id: 'a', envoyVersion: '1.40.1' }), { connected: false, lastAckAt: 9 });
  await settle(world, 'probe-1');
  assert.deepEqual(world.changed, ['probe-1']);
  assert.equal(world.snapshots.get('a'), before);
  await world.putNode(makeNode({ id: 'a', capabilities: SINGLE }));
  await settle(world, 'probe-2');
  assert.deepEqual(world.changed, ['probe-1', 'a', 'probe-2']);
  assert.notEqual(world.snapshots.get('a'), before);
});

test('a new revision reaches the selected nodes and nobody else; unchanged content keeps the object', async t => {
  const world = setUp(t);
  await world.putPlugin(1);
  await world.putNode(makeNode({ id: 'mine' }));
  await world.putNode(makeNode({ id: 'other', namespace: 'other' }));
  await world.start();
  world.changed.length = 0;
  await world.putPlugin(2, { pluginConfig: { v: 2 } });
  await settle(world, 'probe');
  assert.equal(revisionIn(world.snapshots.get('mine')), 2);
  assert.deepEqual([...new Set(world.changed)].sort(), ['mine', 'probe']);
  world.changed.length = 0;
  await world.store.put('Assignment', 'default/auth', makeAssignment(2, { since: 99 }));
  await settle(world, 'probe-2');
  assert.deepEqual(world.changed, ['probe-2']);
});

test('a revision that is missing is left out and said once; it comes in when it is there', async t => {
  const world = setUp(t);
  await world.store.put('Assignment', 'default/auth', makeAssignment(1));
  await world.putNode(makeNode({ id: 'a' }));
  await world.start();
  assert.equal(revisionIn(world.snapshots.get('a')), undefined);
  await world.store.put('Assignment', 'default/auth', makeAssignment(1, { since: 9 }));
  await settle(world, 'probe');
  assert.equal(world.lines.length, 1);
  assert.match(world.lines[0] ?? '', /default\/auth revision 1/);
  await world.putPlugin(1);
  await settle(world, 'probe-2');
  assert.equal(revisionIn(world.snapshots.get('a')), 1);
  await world.store.delete('Revision', revisionKey('default/auth', 1));
  await settle(world, 'probe-3');
  assert.equal(revisionIn(world.snapshots.get('a')), undefined);
  assert.equal(world.lines.length, 2, 'missing again, and said again');
});

test('of two documents with one Envoy name the older is served, and that is said', async t => {
  const world = setUp(t);
  const put = (name: string, createdAt: number, port: number) =>
    world.store.put(
      'ResourceSpec',
      `listeners/default/${name}`,
      makeResource(makeListener({ port }), { name, createdAt }),
    );
  await put('young', 2, 2222);
  await put('old', 1, 1111);
  await world.putNode(makeNode({ id: 'a' }));
  await world.start();
  const listener = world.snapshots.get('a')?.resources.get(LISTENER_TYPE)?.get('ingress');
  assert.match(JSON.stringify(registry.decodeAny(listener?.any ?? new Uint8Array())), /"portValue":1111/);
  assert.equal(world.lines.length, 1);
  await world.store.delete('ResourceSpec', 'listeners/default/old');
  await settle(world, 'probe');
  const left = world.snapshots.get('a')?.resources.get(LISTENER_TYPE)?.get('ingress');
  assert.match(JSON.stringify(registry.decodeAny(left?.any ?? new Uint8Array())), /"portValue":2222/);
});

test('a snapshot serves whoever would get it by the records as they stand', async t => {
  const world = setUp(t);
  await world.putPlugin(1);
  await world.putNode(makeNode({ id: 'a' }));
  await world.start();
  const snapshot = world.snapshots.get('a');
  assert.ok(snapshot);
  assert.ok(snapshot.serves(makeNode({ id: 'a' })));
  assert.ok(snapshot.serves(makeNode({ id: 'a', labels: { of: 'no consequence' } })));
  assert.ok(!snapshot.serves(makeNode({ id: 'a', capabilities: SINGLE })));
  assert.ok(!snapshot.serves(makeNode({ id: 'a', namespace: 'other' })));
  await world.putPlugin(2);
  await settle(world, 'probe');
  assert.ok(!snapshot.serves(makeNode({ id: 'a' })));
});

test('a node that is forgotten loses its snapshot; a stopped reconciler changes nothing', async t => {
  const world = setUp(t);
  await world.putNode(makeNode({ id: 'a' }));
  const reconciler = await world.start();
  await world.store.delete('NodePresence', 'a');
  await settle(world, 'probe');
  assert.equal(world.snapshots.get('a'), undefined);
  await reconciler.stop();
  world.changed.length = 0;
  await world.putPlugin(1);
  assert.deepEqual(world.changed, []);
});

test('ten thousand equal nodes compile once', async t => {
  const world = setUp(t);
  await world.putPlugin(1);
  const nodes = Array.from({ length: 10_000 }, (_, i) => makeNode({ id: `n${i}` }));
  await world.store.transaction(
    nodes.map(node => ({
      op: 'put' as const,
      kind: 'NodePresence' as const,
      key: node.id,
      value: makePresence(node),
    })),
  );
  await world.start();
  const snapshots = [...world.snapshots.entries()].map(([, snapshot]) => snapshot);
  assert.equal(snapshots.length, 10_000);
  assert.equal(new Set(snapshots).size, 1);
});

test('a node that is known at the start costs nothing until somebody asks for it, and follows every change from then on', async t => {
  const world = setUp(t);
  await world.putPlugin(1);
  for (const id of ['a', 'b', 'c', 'gone', 'moved']) await world.putNode(makeNode({ id }));
  await world.start({ comesBack: false });
  assert.deepEqual([...world.snapshots.entries()], []);
  assert.equal(revisionIn(world.snapshots.get('a')), 1);
  await world.putPlugin(2);
  await world.store.delete('NodePresence', 'gone');
  await world.putNode(makeNode({ id: 'moved', namespace: 'other' }));
  await settle(world, 'probe');
  assert.deepEqual(world.changed, ['a', 'moved', 'probe']);
  assert.equal(revisionIn(world.snapshots.get('a')), 2);
  assert.equal(revisionIn(world.snapshots.get('moved')), undefined);
  assert.equal(world.snapshots.get('gone'), undefined);
  // By the records of now, and the very object of those that have the same.
  assert.equal(world.snapshots.get('b'), world.snapshots.get('a'));
  assert.deepEqual(
    [...world.snapshots.entries()].map(([id]) => id),
    ['a', 'moved', 'probe', 'b'],
  );
});

test('what cannot be compiled when it is asked for is tried again when it is asked for again', async t => {
  const world = setUp(t);
  await world.putPlugin(1);
  await world.putNode(makeNode({ id: 'a' }));
  await world.start({ comesBack: false });
  const encode = t.mock.method(ResourceCompiler.prototype, 'encodeModuleCluster', () => {
    throw new Error('once');
  });
  assert.throws(() => world.snapshots.get('a'), /once/);
  encode.mock.restore();
  assert.equal(revisionIn(world.snapshots.get('a')), 1);
});

test('what the server side fixes of a node decides what it gets, and it is served by what it says of itself', async t => {
  const world = setUp(t);
  await world.putPlugin(1);
  const liar = makeNode({ id: 'liar', namespace: 'other' });
  await world.putNode(liar);
  await world.start();
  assert.equal(revisionIn(world.snapshots.get('liar')), undefined);
  const identity = { namespace: 'default', labels: {}, claims: 'kept' as const };
  await world.store.put('NodePolicy', 'liar', { node: 'liar', identity });
  await settle(world, 'probe-1');
  const fixed = world.snapshots.get('liar');
  assert.equal(revisionIn(fixed), 1);
  assert.ok(fixed?.serves(liar));
  assert.ok(!fixed?.serves({ ...liar, id: 'another' }));
  await world.store.delete('NodePolicy', 'liar');
  await settle(world, 'probe-2');
  assert.equal(revisionIn(world.snapshots.get('liar')), undefined);
});
