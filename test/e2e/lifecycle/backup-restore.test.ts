import assert from 'node:assert/strict';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildPlugin } from '../../../plugins/build.ts';
import { runAttache } from '../../harness/run-attache.ts';
import { holds, until } from '../../harness/wait.ts';
import { isAnswerToNames, type LifecycleScene, STAGES, startLifecycleScene } from './lifecycle-scene.ts';
import { applyStamp, offerStamp, untilOn, untilRefused } from './stamp-plugin.ts';
import { BARE, startStampedLoad } from './stamped-load.ts';

test('a server restored from a backup sends a serving Envoy not one changed byte, and then is in charge', t =>
  restoreUnderLoad(t));

async function restoreUnderLoad(t: TestContext): Promise<void> {
  const [stage] = STAGES;
  assert.ok(stage);
  const scene = await startLifecycleScene(t, stage);
  const { attache, spy } = scene;
  const first = await offerStamp(scene, 'first');
  const stamped = startStampedLoad(t, scene.port, BARE, { envoyGoes: true });
  await stamped.change('a', async () => {
    await applyStamp(scene, first, 'a', { priority: 20 });
    await untilOn(scene, 'first', 1);
  });
  // A refusal that was healed is part of what must be remembered.
  await stamped.unmoved(async () => {
    await attache.applyPlugin('second', {
      url: await attache.offer(await buildPlugin('faulty/refuses-config')),
    });
    await untilRefused(scene, 'second', 1, null);
  });
  await untilQuiet(scene);

  const carrying = () => spy.carrying().filter(response => !isAnswerToNames(response));
  const carried = carrying().length;
  await stamped.unmoved(async () => {
    const file = join(attache.folder, 'backup.tar');
    await cli(scene, 'backup', file);
    await attache.end();
    // Nothing is left but the backup and the Envoy: not the modules either.
    for (const folder of ['data', 'modules'])
      for (const name of await readdir(join(attache.folder, folder)))
        await rm(join(attache.folder, folder, name), { recursive: true });
    await cli(scene, 'restore', file, '--data', join(attache.folder, 'data'));
    await attache.startAgain();
    await until(
      async () => (await attache.must('GET', `/v1/nodes/${scene.node}`)).status.state === 'Connected',
      {
        what: 'the Envoy to come back',
        deadlineMs: 45_000,
      },
    );
  });
  await holds(() => carrying().length === carried, {
    what: 'no response that carries a resource',
    forMs: 1_500,
  });

  // An Envoy that starts now has nothing: its module comes from the backup.
  await stamped.unmoved(async () => {
    await scene.restartEnvoy();
    await untilOn(scene, 'first', 1);
    await stamped.more('a');
  });
  await stamped.assertClean();
}

async function cli({ attache }: LifecycleScene, ...args: readonly string[]): Promise<void> {
  const { code, err } = await runAttache(args, { env: { ATTACHE_SERVER: attache.addresses.api } });
  assert.equal(code, 0, err);
}

/** Until nothing was sent for half a second: the change before is over. */
async function untilQuiet({ spy }: LifecycleScene): Promise<void> {
  await until(() => Date.now() - (spy.responses.at(-1)?.at ?? 0) > 500, {
    what: 'the Envoy to be left alone',
  });
}
