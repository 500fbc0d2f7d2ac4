import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startAttacheScene } from '../../harness/attache-scene.ts';
import { stopAfter } from '../../harness/cleanup.ts';
import { startLoad } from '../../harness/load.ts';
import { probe, stampOf } from '../../harness/probe.ts';
import { rawListener, rawSlot } from '../../harness/raw-resources.ts';
import { startRawScene } from '../../harness/raw-scene.ts';
import { until } from '../../harness/wait.ts';
import {
  applyStamp,
  assertClean,
  offerStamp,
  serveFirst as serveByAttache,
  untilMore,
} from './attache-serving.ts';
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

test('Attaché: a module that cannot be fetched is unreachable, never refused, and comes when it can', async t => {
  const scene = await startAttacheScene(t);
  const { attache, node, modulesProxy } = scene;
  const { port, load } = await serveByAttache(t, scene);
  modulesProxy.behave({ httpStatus: 404 });
  modulesProxy.cut();
  await applyStamp(scene, 'stamp', 'second', { url: await offerStamp(scene) });
  const said = () => attache.pluginOn(node, 'stamp');
  await until(async () => (await said())?.reason === 'Unreachable', { what: 'the word Unreachable' });
  await untilMore(load, 250);
  assert.equal((await said())?.refusedRevision, null);
  assert.equal(await stampAt(port), 'first');
  modulesProxy.behave({});
  await attache.waitAccepted(node, 'stamp', 2, 60_000);
  await untilStamp(port, 'second');
  await assertClean(t, load);
});

test('Attaché: a slow download is waited for while the old module serves, and is never a refusal', async t => {
  const scene = await startAttacheScene(t);
  const { attache, node, modulesProxy } = scene;
  const { port, load } = await serveByAttache(t, scene);
  modulesProxy.behave({ bytesPerSecond: 4_000_000 });
  await applyStamp(scene, 'stamp', 'second', { url: await offerStamp(scene, 12_000_000) });
  await until(async () => (await attache.pluginOn(node, 'stamp'))?.state === 'Fetching', {
    what: 'the download',
  });
  await attache.waitAccepted(node, 'stamp', 2);
  await untilStamp(port, 'second');
  assert.equal((await attache.pluginOn(node, 'stamp'))?.refusedRevision, null);
  await assertClean(t, load);
});

test('Attaché: an Envoy that starts while modules cannot be had lets no request past the plugin, then and later', async t => {
  const scene = await startAttacheScene(t);
  const { attache, node, modulesProxy } = scene;
  modulesProxy.behave({ httpStatus: 404 });
  await applyStamp(scene, 'stamp', 'on', { url: await offerStamp(scene) });
  await until(
    async () =>
      (await attache.request('GET', '/v1/plugins/default/stamp/revisions')).body.items?.length === 1,
    {
      what: 'the revision',
    },
  );
  await attache.applyResource('listeners', 'main', rawListener('main', []));
  const port = await scene.envoy.listenerPort('main');
  const load = stopAfter(
    t,
    startLoad({ port, hasPlugin: response => stampOf(response) === 'on', isFailure: () => false }),
  );
  const passed: number[] = [];
  load.expectPlugin(response => {
    if (response.status === 200) passed.push(response.status);
    return response.status !== 200 || stampOf(response) === 'on';
  });
  await until(() => load.total > 100, { what: 'answers while the module cannot be had', deadlineMs: 60_000 });
  assert.equal(passed.length, 0);
  modulesProxy.behave({});
  // The longest pause between two tries is a minute.
  await attache.waitAccepted(node, 'stamp', 1, 90_000);
  await untilStamp(port, 'on');
  await untilMore(load);
  assert.ok(passed.length > 0);
  await assertClean(t, load);
});
