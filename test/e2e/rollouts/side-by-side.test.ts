import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPlugin } from '../../../plugins/build.ts';
import { buildStamp, withSeed } from '../../harness/fixture-modules.ts';
import { startFleet, startFleetLoad } from './fleet-scene.ts';
import { AT_ONCE, install, SHORT_STEPS, stamps, untilFlushed, untilPhase } from './rollout-watch.ts';

test('two plugins of one chain roll out side by side; the refusal of one neither holds nor undoes the other', async t => {
  const fleet = await startFleet(t);
  const { attache } = fleet;
  const stampUrl = await attache.offer(await buildStamp('side'));
  const header = async (seed: string) =>
    attache.offer(withSeed((await buildPlugin('add-header')).bytes, `side-${seed}`));
  await install(attache, 'stamp', { url: stampUrl, pluginConfig: { stamp: 'one' } });
  await install(attache, 'auth', {
    url: await header('good'),
    pluginConfig: { header: 'x-auth', value: 'one' },
  });
  const loads = startFleetLoad(t, fleet);
  const refuses = withSeed((await buildPlugin('faulty/refuses-config')).bytes, 'side');
  const refusing = { url: await attache.offer(refuses), rollout: SHORT_STEPS };
  const passing = { url: stampUrl, pluginConfig: { stamp: 'two' }, rollout: SHORT_STEPS };
  await Promise.all([attache.applyPlugin('auth', refusing), attache.applyPlugin('stamp', passing)]);
  const back = await untilPhase(attache, 'auth', 2, ['RolledBack']);
  assert.equal(back.failure?.kind, 'refusal');
  const done = await untilPhase(attache, 'stamp', 2, ['Succeeded', 'RolledBack', 'Paused']);
  assert.equal(done.phase, 'Succeeded');
  assert.deepEqual(new Set(Object.values(await stamps(fleet))), new Set(['two']));
  for (const node of fleet.nodes.values()) {
    const answer = await fetch(`http://127.0.0.1:${node.port}/`);
    await answer.arrayBuffer();
    assert.equal(answer.headers.get('x-auth'), 'one', `${node.id} has the good revision of auth`);
  }
  for (const [id, load] of loads) assert.equal(load.failed, 0, `${id}: ${load}`);
});

test('a failure nobody can attribute pauses both', async t => {
  const fleet = await startFleet(t, { nodes: ['edge-a-1', 'edge-b-1', 'edge-c-1'] });
  const { attache } = fleet;
  await install(attache, 'one', { url: await attache.offer(await buildStamp('nobody-1')) });
  await install(attache, 'two', { url: await attache.offer(await buildStamp('nobody-2')) });
  startFleetLoad(t, fleet);
  // Without that nobody knows that these nodes served well before.
  await untilFlushed(fleet, 2);
  const answers503 = withSeed((await buildPlugin('faulty/answers-503')).bytes, 'nobody');
  const other = await attache.offer(await buildStamp('nobody-3'));
  const everybody = { ...AT_ONCE, bake: '5m' };
  await Promise.all([
    attache.applyPlugin('one', { url: await attache.offer(answers503), rollout: everybody }),
    attache.applyPlugin('two', { url: other, rollout: everybody }),
  ]);
  for (const plugin of ['one', 'two']) {
    const view = await untilPhase(attache, plugin, 2, ['Paused', 'RolledBack'], 60_000);
    assert.equal(view.phase, 'Paused', plugin);
    assert.equal(view.reason, 'Unattributed', plugin);
  }
});
