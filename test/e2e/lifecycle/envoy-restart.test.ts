import { type TestContext, test } from 'node:test';
import { STAGES, type Stage, startLifecycleScene, toTitle } from './lifecycle-scene.ts';
import { applyStamp, offerStamp, untilAssigned, untilOn } from './stamp-plugin.ts';
import { BARE, startStampedLoad } from './stamped-load.ts';

for (const stage of STAGES) test(`restart of ${toTitle(stage)}`, t => restartEnvoy(t, stage));

async function restartEnvoy(t: TestContext, stage: Stage): Promise<void> {
  const scene = await startLifecycleScene(t, stage);
  const [first, second] = [await offerStamp(scene, 'first'), await offerStamp(scene, 'second')];
  const stamped = startStampedLoad(t, scene.port, BARE, { envoyGoes: true });
  await stamped.change('a', async () => {
    await applyStamp(scene, first, 'a', { priority: 20 });
    await untilOn(scene, 'first', 1);
  });
  await stamped.change('b, a', async () => {
    await applyStamp(scene, second, 'b', { priority: 10 });
    await untilOn(scene, 'second', 1);
  });

  // Its code cache is empty: the first request that it answers has gone through both plugins all the same.
  await stamped.unmoved(() => scene.restartEnvoy());

  // A change while it is away: it may begin with the revision that is known to be good, but never without one.
  await stamped.change('b, A', async () => {
    await scene.restartEnvoy(async () => {
      await applyStamp(scene, first, 'A', { priority: 20 });
      await untilAssigned(scene, 'first', 2);
    });
    await untilOn(scene, 'first', 2);
  });
  await stamped.assertClean();
}
