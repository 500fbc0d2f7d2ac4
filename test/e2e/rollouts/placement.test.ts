import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildStamp } from '../../harness/fixture-modules.ts';
import { until } from '../../harness/wait.ts';
import { startFleet, startFleetLoad } from './fleet-scene.ts';
import {
  AT_ONCE,
  cli,
  install,
  rolloutOf,
  SHORT_STEPS,
  stamp,
  stamps,
  untilPhase,
  untilSoaking,
} from './rollout-watch.ts';

const having = (all: Readonly<Record<string, string | null>>) =>
  Object.keys(all).filter(id => all[id] !== null);

test('zone waves: never two zones at once, and a person between them', async t => {
  const fleet = await startFleet(t);
  const { attache } = fleet;
  const steps = [
    { nodes: 1, soak: '1s' },
    { share: '100%', soak: '1s' },
  ];
  const waves = ['b', 'a', 'c'].map(zone => ({
    name: `zone ${zone}`,
    selector: { matchLabels: { zone } },
    steps,
    ...(zone === 'b' ? { pause: 'human' } : {}),
  }));
  const url = await attache.offer(await buildStamp('waves'));
  await attache.applyPlugin('auth', { url, pluginConfig: { stamp: 'one' }, rollout: { waves, bake: '1s' } });
  const paused = await untilPhase(attache, 'auth', 1, ['Paused']);
  assert.equal(paused.reason, 'Human');
  assert.deepEqual(having(await stamps(fleet)), ['edge-b-1', 'edge-b-2']);
  assert.equal((await cli(attache, 'rollout', 'status', 'auth', '--once')).code, 5);
  assert.equal((await cli(attache, 'rollout', 'promote', 'auth', '-m', 'zone b looks good')).code, 0);
  await until(
    async () => {
      const with_ = having(await stamps(fleet));
      const inC = with_.filter(id => id.startsWith('edge-c'));
      if (inC.length > 0)
        assert.equal(with_.filter(id => id.startsWith('edge-a')).length, 2, 'a was done first');
      return (await rolloutOf(attache, 'auth', 1))?.phase === 'Succeeded';
    },
    { what: 'all zones to have it', deadlineMs: 60_000, everyMs: 100 },
  );
  assert.equal(having(await stamps(fleet)).length, 6);
});

test('C-X3, C-A8: a typo in the selector takes nodes off step by step, and can be aborted; delete has the same tree', async t => {
  const fleet = await startFleet(t);
  const { attache } = fleet;
  const url = await attache.offer(await buildStamp('selector'));
  const spec = { url, pluginConfig: { stamp: 'one' } };
  await install(attache, 'auth', { ...spec, selector: { matchLabels: { role: 'edge' } } });
  const loads = startFleetLoad(t, fleet);
  const slow = { steps: [{ nodes: 1, soak: '10m' }] };
  await attache.applyPlugin('auth', { ...spec, selector: { matchLabels: { role: 'egde' } }, rollout: slow });
  const soaking = await untilSoaking(attache, 'auth', 2);
  assert.equal(soaking.change, 'placement');
  assert.equal(having(await stamps(fleet)).length, 5);
  assert.equal((await cli(attache, 'rollout', 'abort', 'auth', '-m', 'typo')).code, 0);
  await untilPhase(attache, 'auth', 2, ['Aborted']);
  await until(async () => having(await stamps(fleet)).length === 6, { what: 'the node to have it again' });

  await attache.applyPlugin('auth', {
    ...spec,
    selector: { matchLabels: { role: 'edge' } },
    rollout: SHORT_STEPS,
  });
  const deleted = await cli(attache, 'delete', 'plugin', 'auth');
  assert.equal(deleted.code, 0, deleted.err);
  const counts = new Set<number>();
  const end = await until(
    async () => {
      counts.add(having(await stamps(fleet)).length);
      const view = await rolloutOf(attache, 'auth');
      return view?.change === 'delete' && view.phase === 'Succeeded' && view;
    },
    { what: 'the delete to be done', deadlineMs: 60_000, everyMs: 100 },
  );
  assert.ok(counts.has(5) && counts.has(3), `step by step: ${[...counts].join(', ')} nodes had it`);
  assert.equal(end.steps.length, 3);
  assert.equal(having(await stamps(fleet)).length, 0);
  assert.equal((await attache.request('GET', '/v1/plugins/default/auth')).status, 404);
  assert.equal((await cli(attache, 'rollout', 'undo', 'auth', '-m', 'still needed')).code, 0);
  await until(async () => having(await stamps(fleet)).length === 6, {
    what: 'the undone delete',
    deadlineMs: 30_000,
  });
  for (const [id, load] of loads) assert.equal(load.failed, 0, `${id}: ${load}`);
});

test('C-X2, C-B6, acceptance 3 and 23: a first install asks nothing of nodes that are not due, excluded or gone', async t => {
  const fleet = await startFleet(t, { nodes: ['edge-a-1', 'edge-a-2', 'edge-b-1', 'edge-b-2'] });
  const { attache } = fleet;
  await fleet.node('edge-a-1').envoy.stop();
  await until(async () => (await attache.must('GET', '/v1/nodes/edge-a-1')).status.state === 'Disconnected', {
    what: 'edge-a-1 to be gone',
  });
  assert.equal((await cli(attache, 'node', 'exclude', 'edge-a-2', '-m', 'drained')).code, 0);
  const loads = startFleetLoad(t, fleet, { nodes: ['edge-a-2', 'edge-b-1', 'edge-b-2'] });
  const url = await attache.offer(await buildStamp('first'));
  const steps = [{ nodes: 1, soak: '3s' }];
  await attache.applyPlugin('auth', {
    url,
    pluginConfig: { stamp: 'one' },
    failStrategy: 'FAIL_CLOSE',
    rollout: { steps, bake: '1s', maxDisconnected: '50%' },
  });
  const soaking = await untilSoaking(attache, 'auth', 1);
  const canary = soaking.steps[0]?.nodes[0]?.nodes[0] ?? '';
  assert.match(canary, /^edge-b/, 'the canary is connected and not excluded');
  assert.ok(soaking.outside.some(one => one.node === 'edge-a-2' && one.reason === 'Excluded'));
  await untilPhase(attache, 'auth', 1, ['Baking']);
  for (const id of ['edge-b-1', 'edge-b-2']) assert.equal(await stamp(fleet.node(id)), 'one', id);
  assert.equal((await cli(attache, 'node', 'include', 'edge-a-2')).code, 0);
  await until(async () => (await stamp(fleet.node('edge-a-2'))) === 'one', { what: 'the included node' });
  const gone = await cli(attache, 'get', 'nodes');
  assert.match(gone.out, /edge-a-1 .*Disconnected/);
  assert.equal((await cli(attache, 'delete', 'node', 'edge-b-1')).code, 7, 'it is connected');
  assert.equal((await cli(attache, 'delete', 'node', 'edge-a-1', '-m', 'retired')).code, 0);
  assert.equal((await attache.request('GET', '/v1/nodes/edge-a-1')).status, 404);
  // Who is forgotten is not waited for any more.
  await untilPhase(attache, 'auth', 1, ['Succeeded'], 20_000);
  for (const [id, load] of loads) assert.equal(load.failed, 0, `${id}: ${load}`);
});

test('C-B7: all at once in an emergency; a frozen fleet changes nothing but going back', async t => {
  const fleet = await startFleet(t, { nodes: ['edge-a-1', 'edge-b-1'] });
  const { attache } = fleet;
  const url = await attache.offer(await buildStamp('freeze'));
  await install(attache, 'auth', { url, pluginConfig: { stamp: 'one' } });
  const steps = [{ nodes: 1, soak: '2s' }];
  await attache.applyPlugin('auth', { url, pluginConfig: { stamp: 'two' }, rollout: { steps, bake: '1s' } });
  await untilPhase(attache, 'auth', 2, ['Progressing']);
  assert.equal((await cli(attache, 'freeze', '-m', 'on-call, until 09:00')).code, 0);
  const paused = await untilPhase(attache, 'auth', 2, ['Paused']);
  assert.equal(paused.reason, 'Frozen');
  const refused = await attache.request('PUT', '/v1/plugins/default/auth', {
    apiVersion: 'attache/v1',
    kind: 'Plugin',
    metadata: { name: 'auth' },
    spec: { url, pluginConfig: { stamp: 'three' }, rollout: AT_ONCE },
  });
  assert.equal(refused.status, 423);
  assert.match(refused.body.detail, /on-call, until 09:00/);
  assert.equal((await cli(attache, 'unfreeze')).code, 0);
  await untilPhase(attache, 'auth', 2, ['Succeeded']);
  assert.deepEqual(new Set(Object.values(await stamps(fleet))), new Set(['two']));
});
