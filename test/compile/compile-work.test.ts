import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { revisionKey } from '../../src/store/record-kinds.ts';
import {
  makeAssignment,
  makeNode,
  makePresence,
  makeRevision,
  makeSide,
  registry,
} from './compile-samples.ts';
import { settle, setUp } from './reconciler-scene.ts';

const PLUGINS = 20;
const plugins = Array.from({ length: PLUGINS }, (_, i) => `default/p${i}`);

/** Ten kinds of nodes, and as many plugins twice over, each for one kind. */
async function setUpFleet(t: TestContext, nodes: number) {
  const world = setUp(t);
  const put = async (plugin: string, number: number) => {
    const placement = { selector: { matchLabels: { kind: String(plugins.indexOf(plugin) % 10) } } };
    const revision = makeRevision({ plugin, number });
    await world.store.put('Revision', revisionKey(plugin, number), revision);
    const assignment = { ...makeAssignment(number, { base: makeSide(number, placement) }), plugin };
    await world.store.put('Assignment', plugin, assignment);
  };
  for (const plugin of plugins) await put(plugin, 1);
  await world.store.transaction(
    Array.from({ length: nodes }, (_, i) => {
      const node = makeNode({ id: `n${i}`, labels: { kind: String(i % 10), host: `h${i % 50}` } });
      return { op: 'put', kind: 'NodePresence', key: node.id, value: makePresence(node) } as const;
    }),
  );
  await world.start();
  return { ...world, put };
}

/** How often something was encoded, and how many snapshots there are that were not there before. */
async function countWork(
  t: TestContext,
  world: Awaited<ReturnType<typeof setUpFleet>>,
  act: () => Promise<unknown>,
) {
  const before = new Set([...world.snapshots.entries()].map(([, snapshot]) => snapshot));
  for (const snapshot of before) snapshot.slot('attache.authn');
  world.changed.length = 0;
  const encode = t.mock.method(registry, 'encode');
  await act();
  const after = new Set([...world.snapshots.entries()].map(([, snapshot]) => snapshot));
  for (const snapshot of after) snapshot.slot('attache.authn');
  const encodings = encode.mock.callCount();
  encode.mock.restore();
  return {
    encodings,
    snapshots: [...after].filter(snapshot => !before.has(snapshot)).length,
    changed: new Set(world.changed).size,
  };
}

test('a change of one plugin compiles and encodes what it is in, however many nodes and labels there are', async t => {
  const small = await setUpFleet(t, 100);
  const large = await setUpFleet(t, 2_000);
  const works = [];
  for (const world of [small, large])
    works.push(
      await countWork(t, world, async () => {
        await world.put('default/p3', 2);
        await settle(world, 'probe');
      }),
    );
  const [one, two] = works;
  assert.equal(one?.changed, 10 + 1);
  assert.equal(two?.changed, 200 + 1);
  assert.ok((one?.encodings ?? 0) > 0);
  assert.equal(two?.encodings, one?.encodings);
  // The nodes of one kind, and the one by which the end is known.
  assert.equal(one?.snapshots, 2);
  assert.equal(two?.snapshots, 2);
});

test('a node that becomes another one is the only one that is looked at', async t => {
  for (const nodes of [100, 2_000]) {
    const world = await setUpFleet(t, nodes);
    const work = await countWork(t, world, () =>
      settle(
        {
          ...world,
          putNode: node => world.putNode({ ...node, namespace: 'default', labels: { kind: '1' } }),
        },
        'n7',
      ),
    );
    assert.deepEqual(work, { encodings: 0, snapshots: 0, changed: 1 });
  }
});
