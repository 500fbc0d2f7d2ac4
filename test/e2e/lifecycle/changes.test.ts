import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { STAGES, type Stage, startLifecycleScene, toTitle } from './lifecycle-scene.ts';
import { applyStamp, offerStamp, untilGone, untilOn } from './stamp-plugin.ts';
import { BARE, startStampedLoad } from './stamped-load.ts';

for (const stage of STAGES)
  test(`add, reconfigure, reorder and remove on ${toTitle(stage)}`, t => changePlugins(t, stage));

async function changePlugins(t: TestContext, stage: Stage): Promise<void> {
  const scene = await startLifecycleScene(t, stage);
  const { attache, envoy } = scene;
  const first = await offerStamp(scene, 'first');
  const second = await offerStamp(scene, 'second');
  const listenersBefore = await envoy.stats('listener_manager.listener_');
  const stamped = startStampedLoad(t, scene.port, BARE);
  await stamped.more(BARE);

  await stamped.change('a', async () => {
    await applyStamp(scene, first, 'a', { priority: 20 });
    await untilOn(scene, 'first', 1);
  });
  await stamped.change('b, a', async () => {
    await applyStamp(scene, second, 'b', { priority: 10 });
    await untilOn(scene, 'second', 1);
  });
  await stamped.change('b, A', async () => {
    await applyStamp(scene, first, 'A', { priority: 20 });
    await untilOn(scene, 'first', 2);
  });
  // Places that stand in a bootstrap, one a plugin, keep the order that they stand in.
  const reordered = stage.layout === 'single' && stage.listener === 'own' ? 'b, A' : 'A, b';
  await stamped.change(reordered, async () => {
    await applyStamp(scene, second, 'b', { priority: 30 });
    await untilOn(scene, 'second', 2);
  });
  await stamped.change('b', async () => {
    await attache.deletePlugin('first');
    await untilGone(scene, 'first');
  });
  await stamped.change(BARE, async () => {
    await attache.deletePlugin('second');
    await untilGone(scene, 'second');
  });

  await stamped.assertClean();
  if (stage.layout === 'chain' || stage.listener === 'own')
    assert.deepEqual(await envoy.stats('listener_manager.listener_'), listenersBefore, 'no listener update');
}
