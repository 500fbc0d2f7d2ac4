import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stopAfter } from '../../harness/cleanup.ts';
import { buildStamp } from '../../harness/fixture-modules.ts';
import { startModuleHost } from '../../harness/module-host.ts';
import { until } from '../../harness/wait.ts';
import { startFleet, startFleetLoad, startNode } from './fleet-scene.ts';
import { AT_ONCE, cli, install, stamp, stamps, untilPhase } from './rollout-watch.ts';

test('acceptance 5 and 22, C-A7: undo with the registry down; the same file again is held back; retry', async t => {
  const host = stopAfter(t, await startModuleHost());
  const fleet = await startFleet(t, { attache: { flags: ['--allow-private-host', '127.0.0.1'] } });
  const { attache } = fleet;
  const offer = async (seed: string) => {
    const module = await buildStamp(seed);
    host.add(module);
    return `http://127.0.0.1:${host.port}/m/${module.sha256}`;
  };
  const first = { url: await offer('undo-one'), pluginConfig: { stamp: 'one' } };
  const second = { url: await offer('undo-two'), pluginConfig: { stamp: 'two' }, rollout: AT_ONCE };
  await install(attache, 'auth', first);
  await install(attache, 'auth', second, 2);
  const loads = startFleetLoad(t, fleet);
  await host.stop();

  // Envoys come and go while the registry is away.
  const late = await startNode(t, attache, 'edge-a-9');
  await until(async () => (await stamp(late)) === 'two', { what: 'the new Envoy to have the plugin' });

  const undone = await cli(attache, 'rollout', 'undo', 'auth', '-m', 'liked the old one');
  assert.equal(undone.code, 0, undone.err);
  const end = await untilPhase(attache, 'auth', 3, ['Succeeded'], 15_000);
  assert.equal(end.change, 'undo');
  assert.equal(end.message, 'liked the old one');
  assert.equal((await untilPhase(attache, 'auth', 2, ['Reverted'])).phase, 'Reverted');
  assert.deepEqual(new Set(Object.values(await stamps(fleet))), new Set(['one']));
  assert.equal(await stamp(late), 'one');

  const again = await attache.applyPlugin('auth', second);
  assert.equal(again.result, 'held-back');
  const back = await cli(attache, 'rollout', 'undo', 'auth');
  assert.equal(back.code, 0, 'already back, or back to the one before');
  const retried = await cli(attache, 'rollout', 'retry', 'auth', '-m', 'once more');
  assert.equal(retried.code, 0, retried.err);
  await until(async () => (await stamp(late)) === 'two', {
    what: 'the undone revision to be back',
    deadlineMs: 60_000,
  });
  for (const [id, load] of loads) assert.equal(load.failed, 0, `${id}: ${load}`);
});
