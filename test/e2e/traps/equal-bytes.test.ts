import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRawScene } from '../../harness/raw-scene.ts';
import { holds } from '../../harness/wait.ts';
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
