import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Moved } from '../../src/model/assignment.ts';
import { revisionKey } from '../../src/store/record-kinds.ts';
import {
  makeAssignment,
  makeListener,
  makeMoved,
  makeNode,
  makeResource,
  makeRevision,
  makeSide,
  SINGLE,
} from './compile-samples.ts';
import { revisionIn, settle, setUp } from './reconciler-scene.ts';

const PLUGIN = 'default/auth';

/** Nodes a, b and c on revision 1 of default/auth; revision 2 is there. */
async function setUpFleet(t: Parameters<typeof setUp>[0]) {
  const world = setUp(t);
  await world.putPlugin(2, { pluginConfig: { v: 2 } });
  await world.putPlugin(1);
  for (const id of ['a', 'b', 'c']) await world.putNode(makeNode({ id }));
  await world.start();
  world.changed.length = 0;
  let probes = 0;
  /** Stores it; answers the nodes whose snapshot became another one. */
  const move = async (moved: readonly Moved[], base: number | null = 1): Promise<string[]> => {
    await world.store.put('Assignment', PLUGIN, makeAssignment(base, { moved }));
    return settled();
  };
  const settled = async (): Promise<string[]> => {
    probes++;
    await settle(world, `probe-${probes}`);
    return world.changed.splice(0).filter(id => !id.startsWith('probe-'));
  };
  const revisions = () => ['a', 'b', 'c'].map(id => revisionIn(world.snapshots.get(id)));
  return { ...world, move, settled, revisions };
}

const to2 = (nodes: Moved['nodes'], over: Partial<Moved> = {}) => makeMoved(makeSide(2), nodes, over);

test('a growing rollout changes the nodes it reaches, and no others', async t => {
  const { move, revisions, snapshots } = await setUpFleet(t);
  const before = snapshots.get('c');
  assert.deepEqual(await move([to2(['b'])]), ['b']);
  assert.deepEqual(revisions(), [1, 2, 1]);
  assert.deepEqual(await move([to2(['b', 'a'])]), ['a']);
  assert.equal(snapshots.get('a'), snapshots.get('b'));
  assert.equal(snapshots.get('c'), before);
  assert.deepEqual(await move([to2('everyone')]), ['c']);
  assert.deepEqual(
    await move([], 2),
    ['a', 'b', 'c'],
    'the same bytes, but another good revision to fall back to',
  );
  assert.deepEqual(revisions(), [2, 2, 2]);
});

test('going back is one change on the moved nodes, and gives them the very object of the others', async t => {
  const { move, snapshots } = await setUpFleet(t);
  await move([to2(['a', 'b'])]);
  assert.deepEqual(await move([]), ['a', 'b']);
  assert.equal(snapshots.get('a'), snapshots.get('c'));
});

test('a node that joins gets its side at once; an excluded one stays on what was proven', async t => {
  const { move, putNode, settled, revisions, snapshots } = await setUpFleet(t);
  await move([to2(['a'])]);
  await putNode(makeNode({ id: 'd' }));
  assert.deepEqual(await settled(), ['d']);
  assert.equal(revisionIn(snapshots.get('d')), 1);
  assert.deepEqual(await move([to2('everyone', { except: ['b'] })]), ['c', 'd']);
  assert.deepEqual(revisions(), [2, 1, 2]);
  await putNode(makeNode({ id: 'e' }));
  assert.deepEqual(await settled(), ['e']);
  assert.equal(revisionIn(snapshots.get('e')), 2);
  assert.deepEqual(await move([to2('everyone')]), ['b']);
});

test('a node leaves when its step comes, and keeps the plugin until then', async t => {
  const { move, revisions } = await setUpFleet(t);
  const leave = makeMoved(makeSide(null), ['c']);
  assert.deepEqual(await move([leave]), ['c']);
  assert.deepEqual(revisions(), [1, 1, undefined]);
  assert.deepEqual(await move([{ ...leave, nodes: 'everyone' }]), ['a', 'b']);
  assert.deepEqual(revisions(), [undefined, undefined, undefined]);
});

test('what follows of an Assignment for no node, or nobody, moves nobody', async t => {
  const { move, settled, store } = await setUpFleet(t);
  assert.deepEqual(await move([to2([])]), []);
  assert.deepEqual(await move([to2(['not here yet'])]), []);
  await store.put(
    'Assignment',
    PLUGIN,
    makeAssignment(1, { held: { specRevision: 9, revision: 2 }, since: 5 }),
  );
  assert.deepEqual(await settled(), []);
  await store.put('Assignment', PLUGIN, makeAssignment(1, { base: { ...makeSide(1), format: 0 } }));
  assert.deepEqual(await settled(), [], 'there is one format');
});

test('a snapshot serves a node on its side alone, though others say the same of themselves', async t => {
  const { move, snapshots } = await setUpFleet(t);
  await move([to2(['a'])]);
  const [a, b] = [snapshots.get('a'), snapshots.get('b')];
  assert.ok(a);
  assert.ok(a.serves(makeNode({ id: 'a' })));
  assert.ok(!a.serves(makeNode({ id: 'b' })));
  assert.ok(b?.serves(makeNode({ id: 'not here yet' })));
  assert.ok(!a.serves(makeNode({ id: 'a', capabilities: SINGLE })));
});

test('a plugin of another age stands where a fresh start would put it, whatever comes beside it later', async t => {
  const world = setUp(t);
  const putAged = (plugin: string, createdAt: number) =>
    world.store.put('Assignment', plugin, makeAssignment(1, { plugin, createdAt }));
  for (const plugin of ['default/auth', 'default/limit'])
    await world.store.put('Revision', revisionKey(plugin, 1), makeRevision({ plugin }));
  await world.putNode(makeNode({ id: 'a' }));
  await putAged('default/auth', 1);
  const reconciler = await world.start();
  await putAged('default/auth', 3);
  await settle(world, 'aged');
  await putAged('default/limit', 2);
  await settle(world, 'beside');
  await reconciler.stop();
  const plugins = world.snapshots.get('a')?.slot('attache.authn').wanted.plugins;
  assert.deepEqual(
    plugins?.map(({ plugin }) => plugin),
    ['default/limit', 'default/auth'],
  );
});

test('property: whatever came before, a node has what a fresh start would give it', async t => {
  const ids = ['a', 'b', 'c', 'd'];
  const nodes = fc.oneof(fc.constant('everyone' as const), fc.subarray(ids));
  const revision = fc.constantFrom(null, 1, 2, 3);
  const placement = fc.constantFrom({}, { selector: { matchLabels: { app: 'x' } } });
  const side = fc.record({ revision, placement, format: fc.constantFrom(1, 2) });
  const moved = fc.array(
    fc.record({ rollout: fc.constant('r'), side, nodes, except: fc.subarray(ids), since: fc.constant(1) }),
    { maxLength: 2 },
  );
  const node = fc.record({ id: fc.constantFrom(...ids), labels: fc.constantFrom({}, { app: 'x' }) });
  const step = fc.oneof(
    fc.record({
      plugin: fc.constantFrom('default/auth', 'default/limit'),
      createdAt: fc.integer({ min: 1, max: 3 }),
      base: side,
      moved,
    }),
    fc.record({ node }),
    fc.record({ port: fc.integer({ min: 1, max: 2 }) }),
  );
  const versions = (world: ReturnType<typeof setUp>) => ids.map(id => world.snapshots.get(id)?.version);
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 8 }),
      fc.subarray(ids),
      fc.boolean(),
      async (steps, back, oneByOne) => {
        const world = setUp(t);
        for (const number of [1, 2]) {
          await world.putPlugin(number, { pluginConfig: { number } });
          const limit = makeRevision({
            plugin: 'default/limit',
            number,
            config: { pluginConfig: { number } },
          });
          await world.store.put('Revision', revisionKey('default/limit', number), limit);
        }
        for (const id of ['a', 'b']) await world.putNode(makeNode({ id }));
        const reconciler = await world.start({ comesBack: false });
        for (const id of back) world.snapshots.get(id);
        for (const [at, one] of steps.entries()) {
          if ('node' in one) await world.putNode(makeNode(one.node));
          else if ('plugin' in one) await world.store.put('Assignment', one.plugin, makeAssignment(1, one));
          else
            await world.store.put(
              'ResourceSpec',
              'listeners/default/x',
              makeResource(makeListener({ port: one.port })),
            );
          if (oneByOne) await settle(world, `probe-${at}`);
        }
        await settle(world, 'probe');
        await reconciler.stop();
        const fresh = setUp(t, world.store);
        await (await fresh.start()).stop();
        assert.deepEqual(versions(world), versions(fresh));
      },
    ),
    { numRuns: 60 },
  );
});
