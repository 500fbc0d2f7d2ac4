import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAttacheScene } from '../../harness/attache-scene.ts';
import { stopAfter } from '../../harness/cleanup.ts';
import { startLoad } from '../../harness/load.ts';
import { stampOf } from '../../harness/probe.ts';
import { startRawScene } from '../../harness/raw-scene.ts';
import { until } from '../../harness/wait.ts';
import { applyStamp, assertClean, offerStamp, serveFirst as serveByAttache } from './attache-serving.ts';
import { freshStamp, SLOT, serveFirst, stampWith, untilSent, untilStamp } from './raw-serving.ts';

test('trap: a new module pushed live in the warming form is ACKed, never fetched, and requests pass without it', async t => {
  const scene = await startRawScene(t);
  const { port } = await serveFirst(scene);
  const load = stopAfter(t, startLoad({ port, hasPlugin: response => stampOf(response) !== undefined }));
  await until(() => load.total >= 100, { what: 'requests with the first plugin' });
  assert.equal(load.withoutPlugin, 0);

  const second = await freshStamp(scene);
  const verdict = await scene.xds.pushSlot(SLOT, 'second.w', stampWith(second, 'second', false)).verdict;
  assert.deepEqual({ ok: verdict.ok, text: verdict.text }, { ok: true, text: '' });
  await until(() => load.withoutPlugin >= 200, { what: 'requests that pass without any plugin' });
  assert.equal(scene.host.getsOf(second.sha256).length, 0, 'nobody fetched the module');
  assert.equal(load.failed, 0, 'nothing shows it but the missing effect');
  t.diagnostic(`raw: ${load}`);

  // The way out: the verdict form says that the code is missing, fetches it, and takes the next attempt.
  const missing = await scene.xds.pushSlot(SLOT, 'second.v1', stampWith(second, 'second', true)).verdict;
  assert.equal(missing.ok, false);
  assert.match(missing.text, /Unable to create Wasm plugin stamp/);
  await untilSent(scene, second.sha256);
  assert.equal(
    (await scene.xds.pushSlot(SLOT, 'second.v2', stampWith(second, 'second', true)).verdict).ok,
    true,
  );
  await untilStamp(port, 'second');
});

test('Attaché: a new module under load is fetched first, and every request has the plugin', async t => {
  const scene = await startAttacheScene(t);
  const { port, load } = await serveByAttache(t, scene);
  await applyStamp(scene, 'stamp', 'second', { url: await offerStamp(scene) });
  await scene.attache.waitAccepted(scene.node, 'stamp', 2);
  await untilStamp(port, 'second');
  await assertClean(t, load);
  assert.equal(await scene.envoy.stat('listener_manager.listener_modified'), 0, 'no listener was touched');
});
