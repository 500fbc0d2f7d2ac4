import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { buildPlugin } from '../../../plugins/build.ts';
import { STAGES, type Stage, startLifecycleScene, toTitle } from './lifecycle-scene.ts';
import { applyStamp, offerStamp, untilOn, untilRefused } from './stamp-plugin.ts';
import { BARE, startStampedLoad } from './stamped-load.ts';

for (const stage of STAGES) test(`refuse and heal on ${toTitle(stage)}`, t => refuseAndHeal(t, stage));

async function refuseAndHeal(t: TestContext, stage: Stage): Promise<void> {
  const scene = await startLifecycleScene(t, stage);
  const { attache } = scene;
  const [first, second] = [await offerStamp(scene, 'first'), await offerStamp(scene, 'second')];
  const refused = await attache.offer(await buildPlugin('faulty/refuses-config'));
  const stamped = startStampedLoad(t, scene.port, BARE);
  await stamped.change('a', async () => {
    await applyStamp(scene, first, 'a', { priority: 20 });
    await untilOn(scene, 'first', 1);
  });

  await stamped.unmoved(async () => {
    await attache.applyPlugin('first', { url: refused, priority: 20 });
    const { message } = await untilRefused(scene, 'first', 2, 1);
    assert.match(message ?? '', /Unable to create Wasm plugin default\/first/);
  });
  await stamped.unmoved(async () => {
    await attache.applyPlugin('second', { url: refused, priority: 10 });
    const { message } = await untilRefused(scene, 'second', 1, null);
    assert.match(message ?? '', /Unable to create Wasm plugin default\/second/);
  });

  await stamped.change('b, a', async () => {
    await applyStamp(scene, second, 'b', { priority: 10 });
    await untilOn(scene, 'second', 2);
  });
  await stamped.change('b, A', async () => {
    await applyStamp(scene, first, 'A', { priority: 20 });
    await untilOn(scene, 'first', 3);
  });
  for (const name of ['first', 'second'])
    assert.equal((await attache.pluginOn(scene.node, name))?.refusedRevision, null, `${name} is healed`);
  await stamped.assertClean();
}
