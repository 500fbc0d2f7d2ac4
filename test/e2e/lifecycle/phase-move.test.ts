import { type TestContext, test } from 'node:test';
import { buildPlugin } from '../../../plugins/build.ts';
import { type LifecycleScene, STAGES, startLifecycleScene } from './lifecycle-scene.ts';
import { applyStamp, offerStamp, untilOn, untilRefused } from './stamp-plugin.ts';
import { BARE, startStampedLoad } from './stamped-load.ts';

/** With chains each phase is a slot of its own, and no push changes two. */
const [stage] = STAGES;

test('a plugin that moves to a later phase with a new module is never missing', async t => {
  const scene = await start(t);
  const first = await offerStamp(scene, 'first');
  const other = await offerStamp(scene, 'first');
  const stamped = startStampedLoad(t, scene.port, BARE);
  await stamped.change('a', async () => {
    await applyStamp(scene, first, 'a', { phase: 'AUTHN' });
    await untilOn(scene, 'first', 1);
  });
  const move = async () => {
    await applyStamp(scene, other, 'A', { phase: 'STATS' });
    await untilOn(scene, 'first', 2);
  };
  // Rather twice for a moment than not at all.
  await stamped.change('A', move, ['A, a']);
  await stamped.assertClean();
});

test('a plugin whose revision for a later phase is refused is never missing', async t => {
  const scene = await start(t);
  const first = await offerStamp(scene, 'first');
  const refused = await scene.attache.offer(await buildPlugin('faulty/refuses-config'));
  const stamped = startStampedLoad(t, scene.port, BARE);
  await stamped.change('a', async () => {
    await applyStamp(scene, first, 'a', { phase: 'AUTHN' });
    await untilOn(scene, 'first', 1);
  });
  await stamped.unmoved(async () => {
    await scene.attache.applyPlugin('first', { url: refused, phase: 'STATS' });
    await untilRefused(scene, 'first', 2, 1);
  });
  await stamped.assertClean();
});

function start(t: TestContext): Promise<LifecycleScene> {
  if (stage?.layout !== 'chain') throw new Error('the first stage has chains');
  return startLifecycleScene(t, stage);
}
