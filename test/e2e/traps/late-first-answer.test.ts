import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { AttacheProcess } from '../../harness/attache-process.ts';
import { stopAfter } from '../../harness/cleanup.ts';
import { startEnvoy } from '../../harness/envoy-process.ts';
import { buildStamp } from '../../harness/fixture-modules.ts';
import { rawBootstrap, rawListener, rawSlot } from '../../harness/raw-resources.ts';
import { startRawScene } from '../../harness/raw-scene.ts';
import { startTcpProxy } from '../../harness/tcp-proxy.ts';
import { startUpstream } from '../../harness/upstream.ts';
import { holds, until } from '../../harness/wait.ts';
import { assertClean, startStampedLoad } from './attache-serving.ts';
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

test('Attaché: a slot that is answered long after its fetch timeout gets the plugin all the same', async t => {
  const upstream = stopAfter(t, await startUpstream());
  const attache = stopAfter(t, await AttacheProcess.start());
  const module = await buildStamp('late');
  await attache.applyPlugin('stamp', { url: await attache.offer(module), pluginConfig: { stamp: 'late' } });
  const port = (address: string) => Number(address.split(':').at(-1));
  const xdsProxy = stopAfter(t, await startTcpProxy(port(attache.addresses.xds)));
  let letThrough = () => {};
  xdsProxy.behave({ until: new Promise<void>(resolve => (letThrough = resolve)) });

  // The user keeps the listener in the bootstrap, with a place of his own that waits for half a second.
  const ports = {
    xdsPort: xdsProxy.port,
    modulesPort: port(attache.addresses.modules),
    upstreamPort: upstream.port,
  };
  const bootstrap = rawBootstrap({ id: 'edge-1', ...ports });
  const { '@type': _, ...listener } = rawListener('main', [
    rawSlot({ name: 'attache.last', fetchTimeout: '0.5s' }),
  ]);
  const ads = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0.5s' };
  const own = {
    ...bootstrap,
    dynamic_resources: { ...Object(bootstrap.dynamic_resources), lds_config: ads },
    static_resources: { ...Object(bootstrap.static_resources), listeners: [listener] },
  };
  const envoy = stopAfter(
    t,
    await startEnvoy({ bootstrap: stringify(own, { aliasDuplicateObjects: false }) }),
  );
  await envoy.waitReady();
  const listenerPort = await envoy.listenerPort('main');
  await until(
    async () =>
      (await envoy.stat('extension_config_discovery.http_filter.attache.last.init_fetch_timeout')) === 1,
    { what: 'the fetch timeout' },
  );
  assert.equal(await stampAt(listenerPort), undefined, 'open, as its author wanted it');

  letThrough();
  await attache.waitAccepted('edge-1', 'stamp', 1);
  await untilStamp(listenerPort, 'late');
  await assertClean(t, startStampedLoad(t, listenerPort));
});
