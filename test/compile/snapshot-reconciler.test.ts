import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startSnapshotReconciler } from '../../src/compile/snapshot-reconciler.ts';
import type { NodeIdentity } from '../../src/model/node.ts';
import type { Log } from '../../src/model/ports.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { LISTENER_TYPE } from '../../src/model/type-url.ts';
import { LiveTable } from '../../src/store/live-table.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { revisionKey } from '../../src/store/record-kinds.ts';
import {
  makeAssignment,
  makeListener,
  makeNode,
  makePresence,
  makeResource,
  makeRevision,
  registry,
  SINGLE,
} from './compile-samples.ts';

/** A store, the table the reconciler fills, and every change of it since the start. */
function setUp(t: TestContext) {
  const store = createMemoryStore();
  const snapshots = new LiveTable<Snapshot>();
  const changed: string[] = [];
  const lines: string[] = [];
  const log: Log = {
    debug() {},
    info() {},
    warn: (_, line) => lines.push(line),
    error: (_, line) => lines.push(line),
  };
  snapshots.watch(key => changed.push(key));
  const start = async () => {
    const clock = { now: () => 0, after: () => () => {} };
    const modules = { host: '127.0.0.1', port: 1 };
    const options = { store, snapshots, modules, clock, log, rootNamespace: 'istio-system', registry };
    const reconciler = await startSnapshotReconciler(options);
    t.after(() => reconciler.stop());
    return reconciler;
  };
  t.after(() => store.close());
  const putNode = (node: NodeIdentity, over = {}) =>
    store.put('NodePresence', node.id, makePresence(node, over));
  const putPlugin = async (number: number | null, config = {}) => {
    if (number !== null) {
      await store.put('Revision', revisionKey('default/auth', number), makeRevision({ number, config }));
    }
    await store.put('Assignment', 'default/auth', makeAssignment(number));
  };
  return { store, snapshots, changed, lines, start, putNode, putPlugin };
}

/** The reconciler has taken in everything that was written before, shown by a node of its own. */
async function settle({ putNode, snapshots }: ReturnType<typeof setUp>, id: string): Promise<void> {
  const arrived = new Promise<void>(resolve => {
    const stop = snapshots.watch(key => {
      if (key !== id) return;
      stop();
      resolve();
    });
  });
  await putNode(makeNode({ id, namespace: `of-${id}` }));
  await arrived;
}

const revisionIn = (snapshot: Snapshot | undefined) =>
  snapshot?.slot('attache.authn').wanted.plugins[0]?.revision;

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
  assert.equal(new Set([...world.snapshots.entries()].map(([, snapshot]) => snapshot)).size, 1);
  assert.equal(world.changed.length, 10_000);
});
