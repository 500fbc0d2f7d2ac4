import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPlugin } from '../../../plugins/build.ts';
import { startAttacheScene } from '../../harness/attache-scene.ts';
import { startRawScene } from '../../harness/raw-scene.ts';
import { holds, until } from '../../harness/wait.ts';
import { applyStamp, assertClean, offerStamp, serveFirst as serveByAttache } from './attache-serving.ts';
import { freshStamp, SLOT, serveFirst, stampAt, stampWith, untilSent, untilStamp } from './raw-serving.ts';

test('trap: bytes that were refused once are ACKed when they come again, and not applied', async t => {
  const scene = await startRawScene(t);
  const { port } = await serveFirst(scene);
  const second = await freshStamp(scene);
  const content = stampWith(second, 'second', true);
  const push = (version: string, typedConfig = content) =>
    scene.xds.pushSlot(SLOT, version, typedConfig).verdict;

  assert.equal((await push('second.1')).ok, false, 'the code is not there yet');
  await untilSent(scene, second.sha256);
  assert.equal((await push('second.2')).ok, true, 'a new version string and an ACK …');
  await holds(async () => (await stampAt(port)) === 'first', { what: '… but the old plugin', forMs: 1_000 });
  assert.equal(
    (await push('second.3', stampWith(second, 'second', true))).ok,
    true,
    'another tag in the URL',
  );
  await untilStamp(port, 'second');
});

test('Attaché: what it says was accepted is what serves, after a miss, after a refusal, and back again', async t => {
  const scene = await startAttacheScene(t);
  const { attache, node } = scene;
  const { port, load, url } = await serveByAttache(t, scene);
  const second = await offerStamp(scene);
  await applyStamp(scene, 'stamp', 'second', { url: second });
  await attache.waitAccepted(node, 'stamp', 2);
  await untilStamp(port, 'second');

  const refusing = await attache.offer(await buildPlugin('faulty/refuses-config'));
  await applyStamp(scene, 'stamp', 'third', { url: refusing });
  await until(async () => (await attache.pluginOn(node, 'stamp'))?.refusedRevision === 3, {
    what: 'a refusal',
  });
  await attache.waitAccepted(node, 'stamp', 2);
  assert.equal(await stampAt(port), 'second');

  for (const [revision, stamp, from] of [
    [4, 'fourth', second],
    [5, 'fifth', url],
  ] as const) {
    await applyStamp(scene, 'stamp', stamp, { url: from });
    await attache.waitAccepted(node, 'stamp', revision);
    await untilStamp(port, stamp);
  }
  await assertClean(t, load);
});
