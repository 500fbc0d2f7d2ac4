import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { serveMain, startAttacheScene } from '../../harness/attache-scene.ts';
import { stopAfter } from '../../harness/cleanup.ts';
import { freePort } from '../../harness/free-port.ts';
import { type Load, startLoad } from '../../harness/load.ts';
import { stampOf } from '../../harness/probe.ts';
import { rawListener, rawSlot } from '../../harness/raw-resources.ts';
import { type RawScene, startRawScene } from '../../harness/raw-scene.ts';
import { until } from '../../harness/wait.ts';
import {
  applyStamp,
  assertClean,
  offerStamp,
  serveFirst,
  startStampedLoad,
  untilMore,
} from './attache-serving.ts';
import { freshStamp, SLOT, stampWith, untilSent, untilStamp } from './raw-serving.ts';

/** A listener without slots under load, and then the same listener with one; the answer is not given yet. */
async function gainSlot(t: TestContext): Promise<{ scene: RawScene; load: Load }> {
  const scene = await startRawScene(t, { drainTimeS: 2 });
  const { xds, envoy } = scene;
  await xds.waitRequest(() => true, 'the Envoy to connect');
  xds.pushListener('1', rawListener('main', []));
  const load = stopAfter(t, startLoad({ port: await envoy.listenerPort('main') }));
  await until(() => load.total >= 100, { what: 'requests before the change' });
  assert.equal((await xds.pushListener('2', withSlot()).verdict).ok, true);
  await xds.waitSubscribed(SLOT);
  return { scene, load };
}

function withSlot() {
  return rawListener('main', [rawSlot({ name: SLOT, unanswered: 'deny' })]);
}

test('trap: the verdict form as first answer of a slot on a live Envoy opens the listener with its 403s', async t => {
  const { scene, load } = await gainSlot(t);
  const module = await freshStamp(scene);
  const first = await scene.xds.pushSlot(SLOT, '1.v1', stampWith(module, 'on', true)).verdict;
  assert.equal(first.ok, false);
  await until(() => load.failed >= 50, { what: 'requests that are answered 403' });
  assert.ok(load.failures.every(failure => failure.what === '403'));
  assert.equal((await scene.xds.pushSlot(SLOT, '1.v2', stampWith(module, 'on', true)).verdict).ok, true);
  await until(() => hasHealed(load), { what: 'the end of the 403s' });
  t.diagnostic(`raw, verdict form first: ${load}`);
});

test('way out: with the warming form the old listener serves until the code is there, and no request is lost', async t => {
  const { scene, load } = await gainSlot(t);
  const module = await freshStamp(scene);
  scene.host.behave({ delayMs: 1_000 });
  assert.equal((await scene.xds.pushSlot(SLOT, '1.w', stampWith(module, 'on', false)).verdict).ok, true);
  await untilSent(scene, module.sha256);
  // Connections of the old version are asked to close within the drain time; it has no plugin.
  const draining = () => scene.envoy.stat('listener_manager.total_filter_chains_draining');
  await until(async () => (await draining()) > 0, { what: 'the new version to serve' });
  await until(async () => (await draining()) === 0, { what: 'the old version to go' });
  load.expectPlugin(response => stampOf(response) === 'on');
  const before = load.total;
  await until(() => load.total >= before + 200, { what: 'requests after the change' });
  assert.equal(load.withoutPlugin, 0);
  assert.equal(load.failed, 0, JSON.stringify(load.failures.slice(0, 5)));
  t.diagnostic(`raw, warming form first: ${load}`);
});

/** No failure for a while. */
function hasHealed(load: Load): boolean {
  const last = load.failures.at(-1);
  return last !== undefined && Date.now() - last.at.getTime() > 300;
}

test('Attaché: a new listener on a live Envoy waits for its plugin, and then serves with it from the first request', async t => {
  const scene = await startAttacheScene(t);
  const { attache, envoy, node, modulesProxy } = scene;
  const { load } = await serveFirst(t, scene);
  const statuses = new Set<number>();
  modulesProxy.behave({ delayMs: 1_000 });
  const portValue = await freePort();
  await applyStamp(scene, 'other', 'other', {
    url: await offerStamp(scene),
    match: [{ ports: [{ number: portValue }] }],
  });
  // A listener that opens while its plugin is still being validated opens without it.
  await until(async () => (await attache.pluginOn(node, 'other'))?.desiredRevision === 1, {
    what: 'the plugin to be on its way to the node',
  });
  const address = { socket_address: { address: '127.0.0.1', port_value: portValue } };
  await attache.applyResource('listeners', 'other', rawListener('other', [], { address }));
  const port = await envoy.listenerPort('other');
  const second = startLoad({
    port,
    hasPlugin: response => stampOf(response)?.includes('other') === true,
    isFailure: response => {
      statuses.add(response.status);
      return response.status !== 200;
    },
  });
  stopAfter(t, second);
  await attache.waitAccepted(node, 'other', 1);
  await untilMore(second);
  assert.deepEqual([...statuses], [200], 'it never answered 403');
  await assertClean(t, second);
  await assertClean(t, load);
});

test('Attaché: on Envoy 1.36.2, without chains, a first plugin comes to a live listener without a lost request', async t => {
  const scene = await startAttacheScene(t, { version: '1.36.2', drainTimeS: 2 });
  const { attache, envoy, node } = scene;
  const port = await serveMain(scene);
  const load = stopAfter(t, startLoad({ port }));
  await untilMore(load);
  scene.modulesProxy.behave({ delayMs: 500 });
  await applyStamp(scene, 'stamp', 'on', { url: await offerStamp(scene) });
  await attache.waitAccepted(node, 'stamp', 1);
  await untilStamp(port, 'on');
  const draining = () => envoy.stat('listener_manager.total_filter_chains_draining');
  await until(async () => (await draining()) === 0, { what: 'the old version to go' });
  await load.stop();
  t.diagnostic(`Attaché on 1.36.2: ${load}`);
  assert.equal(load.failed, 0, JSON.stringify(load.failures.slice(0, 5)));
  await assertClean(t, startStampedLoad(t, port));
});
