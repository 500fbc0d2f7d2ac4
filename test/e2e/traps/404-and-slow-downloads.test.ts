import assert from 'node:assert/strict';
import { test } from 'node:test';
import { probe } from '../../harness/probe.ts';
import { rawListener, rawSlot } from '../../harness/raw-resources.ts';
import { startRawScene } from '../../harness/raw-scene.ts';
import { until } from '../../harness/wait.ts';
import { freshStamp, SLOT, serveFirst, stampAt, stampWith, untilSent, untilStamp } from './raw-serving.ts';

test('trap: a 404 in the warming form is ACKed, and the listener opens with nothing but 503s', async t => {
  const scene = await startRawScene(t);
  const { xds, envoy, host } = scene;
  const module = await freshStamp(scene);
  host.behave({ status: 404 });
  await xds.waitRequest(() => true, 'the Envoy to connect');
  xds.pushListener('1', rawListener('main', [rawSlot({ name: SLOT, unanswered: 'deny' })]));
  await xds.waitSubscribed(SLOT);
  assert.equal((await xds.pushSlot(SLOT, '1.w', stampWith(module, 'on', false)).verdict).ok, true);
  const port = await envoy.listenerPort('main');
  await envoy.waitReady();
  assert.equal(host.getsOf(module.sha256).length, 2, 'it tried twice');
  assert.equal((await probe(port)).status, 503);

  host.behave({});
  assert.equal((await xds.pushSlot(SLOT, '1.v1', stampWith(module, 'on', true)).verdict).ok, false);
  await untilSent(scene, module.sha256);
  assert.equal((await xds.pushSlot(SLOT, '1.v2', stampWith(module, 'on', true)).verdict).ok, true);
  await until(async () => (await probe(port)).status === 200, { what: 'the end of the 503s' });
});

test('trap: a 404 in the verdict form reads like a refusal of the plugin, at every attempt', async t => {
  const scene = await startRawScene(t);
  const { port } = await serveFirst(scene);
  const second = await freshStamp(scene);
  scene.host.behave({ status: 404 });
  for (let attempt = 1; attempt <= 3; attempt++) {
    const verdict = await scene.xds.pushSlot(SLOT, `2.v${attempt}`, stampWith(second, 'second', true))
      .verdict;
    assert.equal(verdict.ok, false);
    assert.match(verdict.text, /Unable to create Wasm plugin stamp/);
    await until(() => scene.host.getsOf(second.sha256).length === attempt, { what: `GET number ${attempt}` });
  }
  assert.equal(await stampAt(port), 'first');
});

test('trap: a push while the module is still on its way is refused again, and fetches it a second time', async t => {
  const scene = await startRawScene(t);
  const { port } = await serveFirst(scene);
  const second = await freshStamp(scene);
  scene.host.behave({ bytesPerSecond: second.bytes.length / 2 });
  const push = (version: string) =>
    scene.xds.pushSlot(SLOT, version, stampWith(second, 'second', true)).verdict;
  assert.equal((await push('2.v1')).ok, false);
  await until(() => scene.host.getsOf(second.sha256).length === 1, { what: 'the first GET' });
  assert.equal((await push('2.v2')).ok, false);
  await until(() => scene.host.getsOf(second.sha256).length === 2, { what: 'a second GET' });
  assert.equal(await stampAt(port), 'first');
  await untilSent(scene, second.sha256, 2);
  assert.equal((await push('2.v3')).ok, true);
  await untilStamp(port, 'second');
});
