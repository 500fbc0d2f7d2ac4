import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawListener, rawSlot } from '../../harness/raw-resources.ts';
import { startRawScene } from '../../harness/raw-scene.ts';
import { freshStamp, SLOT, serveFirst, stampWith, untilSent, untilStamp } from './raw-serving.ts';

test('trap: while a slot waits for its code, a good change of its listener is refused', async t => {
  const scene = await startRawScene(t);
  const { port } = await serveFirst(scene);
  const second = await freshStamp(scene);
  let letGo = () => {};
  scene.host.behave({ until: new Promise<void>(resolve => (letGo = resolve)) });
  assert.equal((await scene.xds.pushSlot(SLOT, '2.v1', stampWith(second, 'second', true)).verdict).ok, false);

  const edited = {
    ...rawListener('main', [rawSlot({ name: SLOT, unanswered: 'deny' })]),
    per_connection_buffer_limit_bytes: 65_536,
  };
  const during = await scene.xds.pushListener('2', edited).verdict;
  assert.equal(during.ok, false);
  assert.match(during.text, /Unable to create Wasm plugin stamp/);
  letGo();
  await untilSent(scene, second.sha256);
  assert.equal((await scene.xds.pushSlot(SLOT, '2.v2', stampWith(second, 'second', true)).verdict).ok, true);
  await untilStamp(port, 'second');
  assert.equal(
    (await scene.xds.pushListener('3', edited).verdict).ok,
    true,
    'the same bytes, once the slot is good',
  );
});
