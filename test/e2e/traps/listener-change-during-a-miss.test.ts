import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAttacheScene } from '../../harness/attache-scene.ts';
import { rawListener, rawSlot } from '../../harness/raw-resources.ts';
import { startRawScene } from '../../harness/raw-scene.ts';
import { until } from '../../harness/wait.ts';
import { applyStamp, assertClean, offerStamp, serveFirst as serveByAttache } from './attache-serving.ts';
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

test('Attaché: a listener change during a download waits for it, and is never refused', async t => {
  const scene = await startAttacheScene(t, { drainTimeS: 2 });
  const { attache, envoy, node, modulesProxy } = scene;
  const { port, load } = await serveByAttache(t, scene);
  modulesProxy.behave({ bytesPerSecond: 4_000_000 });
  await applyStamp(scene, 'stamp', 'second', { url: await offerStamp(scene, 12_000_000) });
  await until(async () => (await attache.pluginOn(node, 'stamp'))?.state === 'Fetching', {
    what: 'the download',
  });
  const edited = rawListener('main', [], { per_connection_buffer_limit_bytes: 65_536 });
  await attache.applyResource('listeners', 'main', edited);
  await attache.waitAccepted(node, 'stamp', 2);
  await until(async () => (await envoy.stat('listener_manager.listener_modified')) === 1, {
    what: 'the edit',
  });
  assert.equal(await envoy.stat('listener_manager.lds.update_rejected'), 0);
  await untilStamp(port, 'second');
  await assertClean(t, load);
});
