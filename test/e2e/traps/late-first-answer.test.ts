import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rawListener, rawSlot } from '../../harness/raw-resources.ts';
import { startRawScene } from '../../harness/raw-scene.ts';
import { holds, until } from '../../harness/wait.ts';
import { freshStamp, SLOT, stampAt, stampWith, untilSent, untilStamp } from './raw-serving.ts';

test('trap: a first answer in the warming form after the fetch timeout leaves the filter out for good', async t => {
  const scene = await startRawScene(t);
  const { xds, envoy, host } = scene;
  const module = await freshStamp(scene);
  await xds.waitRequest(() => true, 'the Envoy to connect');
  xds.pushListener('1', rawListener('main', [rawSlot({ name: SLOT, fetchTimeout: '0.5s' })]));
  await xds.waitSubscribed(SLOT);
  const port = await envoy.listenerPort('main');
  await until(
    async () => (await envoy.stat(`extension_config_discovery.http_filter.${SLOT}.init_fetch_timeout`)) === 1,
    { what: 'the fetch timeout' },
  );
  assert.equal((await xds.pushSlot(SLOT, 'late.w', stampWith(module, 'late', false)).verdict).ok, true);
  await holds(async () => (await stampAt(port)) === undefined, { what: 'no plugin', forMs: 1_000 });
  assert.equal(host.gets.length, 0, 'ACKed, and never fetched');

  assert.equal((await xds.pushSlot(SLOT, 'late.v1', stampWith(module, 'late', true)).verdict).ok, false);
  await untilSent(scene, module.sha256);
  assert.equal((await xds.pushSlot(SLOT, 'late.v2', stampWith(module, 'late', true)).verdict).ok, true);
  await untilStamp(port, 'late');
});
