import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { buildPlugin } from '../../../plugins/build.ts';
import { holds, until } from '../../harness/wait.ts';
import {
  isAnswerToNames,
  type LifecycleScene,
  STAGES,
  type Stage,
  startLifecycleScene,
  toTitle,
} from './lifecycle-scene.ts';
import { applyStamp, offerStamp, untilOn, untilRefused } from './stamp-plugin.ts';
import { BARE, startStampedLoad } from './stamped-load.ts';

for (const stage of STAGES) test(`restart of Attaché under ${toTitle(stage)}`, t => restartAttache(t, stage));

async function restartAttache(t: TestContext, stage: Stage): Promise<void> {
  const scene = await startLifecycleScene(t, stage);
  const { attache, spy } = scene;
  const [first, second] = [await offerStamp(scene, 'first'), await offerStamp(scene, 'second')];
  const refused = await attache.offer(await buildPlugin('faulty/refuses-config'));
  const stamped = startStampedLoad(t, scene.port, BARE);
  await stamped.change('a', async () => {
    await applyStamp(scene, first, 'a', { priority: 20 });
    await untilOn(scene, 'first', 1);
  });
  await stamped.change('b, a', async () => {
    await applyStamp(scene, second, 'b', { priority: 10 });
    await untilOn(scene, 'second', 1);
  });
  // A refusal that was healed is part of what must be remembered.
  await stamped.unmoved(async () => {
    await attache.applyPlugin('second', { url: refused, priority: 10 });
    await untilRefused(scene, 'second', 2, 1);
  });
  await untilQuiet(scene);

  const carrying = () => spy.carrying().filter(response => !isAnswerToNames(response));
  const before = { carrying: carrying().length, stats: await readWorkload(scene) };
  await stamped.unmoved(() => restartAndReconnect(t, scene));
  await holds(() => carrying().length === before.carrying, {
    what: 'no response that carries a resource',
    forMs: 1_500,
  });
  assert.deepEqual(await readWorkload(scene), before.stats, 'the Envoy did nothing because of it');

  // It is in charge again; and this one change is all that ever came after the restart.
  await stamped.change('b, A', async () => {
    await applyStamp(scene, first, 'A', { priority: 20 });
    await untilOn(scene, 'first', 2);
  });
  const after = carrying().slice(before.carrying);
  assert.equal(after.length, 1, JSON.stringify(after));
  await stamped.assertClean();
}

/** An Envoy tries again after 500 ms at most, then 1 s, 2 s and so on, up to 30 s, each time less by chance. */
const LONGEST_BACKOFF_MS = 30_000;

async function restartAndReconnect(t: TestContext, { attache, spy, node }: LifecycleScene): Promise<void> {
  const [began, streams] = [Date.now(), spy.streams.length];
  assert.deepEqual(await attache.end(), { code: 0, signal: null });
  await attache.startAgain();
  const back = Date.now() - began;
  const isConnected = async () =>
    (await attache.must('GET', `/v1/nodes/${node}`)).status.state === 'Connected';
  try {
    await until(isConnected, { what: `${node} to come back`, deadlineMs: LONGEST_BACKOFF_MS + 10_000 });
  } finally {
    const tries = spy.streams.slice(streams).map(at => at - began);
    t.diagnostic(`Attaché was back after ${back} ms; the Envoy tried after ${tries.join(', ')} ms`);
  }
}

/** Until nothing was sent for half a second: the change before is over. */
async function untilQuiet({ spy }: LifecycleScene): Promise<void> {
  await until(() => Date.now() - (spy.responses.at(-1)?.at ?? 0) > 500, { what: 'quiet' });
}

/** What an Envoy counts when its control plane makes it do something. */
async function readWorkload({ envoy }: LifecycleScene) {
  const slots = await envoy.stats('extension_config_discovery.http_filter.');
  const listeners = await envoy.stats('listener_manager.');
  return {
    created: await envoy.stat('wasm.envoy.wasm.runtime.v8.created'),
    reloads: Object.fromEntries(Object.entries(slots).filter(([name]) => name.endsWith('.config_reload'))),
    added: listeners['listener_manager.listener_added'],
    modified: listeners['listener_manager.listener_modified'],
    removed: listeners['listener_manager.listener_removed'],
  };
}
