import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildStamp } from '../../harness/fixture-modules.ts';
import { until } from '../../harness/wait.ts';
import { startFleet, startFleetLoad } from './fleet-scene.ts';
import { install, rolloutOf, stamps, touchedSince, untilPhase } from './rollout-watch.ts';

test('acceptance 4, C-B5: killed in mid-rollout, it goes on at the same step with the same nodes', async t => {
  const fleet = await startFleet(t);
  const { attache } = fleet;
  const url = await attache.offer(await buildStamp('restart'));
  await install(attache, 'auth', { url, pluginConfig: { stamp: 'one' } });
  const loads = startFleetLoad(t, fleet);
  const steps = [
    { nodes: 1, soak: '1s' },
    { share: '50%', soak: '12s' },
  ];
  await attache.applyPlugin('auth', { url, pluginConfig: { stamp: 'two' }, rollout: { steps, bake: '1s' } });
  const before = await until(
    async () => {
      const view = await rolloutOf(attache, 'auth', 2);
      const isSoaking = view?.step === 2 && view.timer?.what === 'soak' && view.timer.leftMs < 9_000;
      return isSoaking && view;
    },
    { what: 'the second step to soak for a while', deadlineMs: 60_000 },
  );
  const moved = await stamps(fleet);
  assert.equal(Object.values(moved).filter(one => one === 'two').length, 3);

  await attache.kill9();
  const killedAt = Date.now();
  assert.deepEqual(await stamps(fleet), moved, 'Envoys go on without us');
  await attache.startAgain();
  const after = await until(async () => rolloutOf(attache, 'auth', 2), {
    what: 'the rollout to be read again',
  });
  assert.equal(after.phase, 'Progressing');
  assert.equal(after.step, 2);
  assert.ok((after.timer?.leftMs ?? 0) <= (before.timer?.leftMs ?? 0) + 5_500, 'what was soaked counts');
  assert.deepEqual(await stamps(fleet), moved);

  let paused = false;
  const end = await until(
    async () => {
      const view = await rolloutOf(attache, 'auth', 2);
      paused ||= view?.phase === 'Paused';
      if (view?.step === 2) assert.deepEqual(touchedSince(fleet, killedAt), [], 'nobody got what he had');
      return view?.phase === 'Succeeded' && view;
    },
    { what: 'the rollout to succeed', deadlineMs: 90_000, everyMs: 100 },
  );
  assert.equal(paused, false, 'our own restart pauses nothing');
  assert.equal(end.counts.done, 6);
  const late = Object.keys(moved).filter(id => moved[id] === 'one');
  assert.deepEqual([...touchedSince(fleet, killedAt)].sort(), late.sort());
  assert.deepEqual(new Set(Object.values(await stamps(fleet))), new Set(['two']));
  for (const [id, load] of loads) assert.equal(load.failed, 0, `${id}: ${load}`);
  await untilPhase(attache, 'auth', 2, ['Succeeded']);
});
