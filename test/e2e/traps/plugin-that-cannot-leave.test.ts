import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha256Hex } from '../../../src/model/plugin-spec.ts';
import { readCorpus } from '../../fixtures/agreement/corpus.ts';
import { type AttacheScene, serveMain, startAttacheScene } from '../../harness/attache-scene.ts';
import { stopAfter } from '../../harness/cleanup.ts';
import type { FixtureModule } from '../../harness/fixture-modules.ts';
import { startLoad } from '../../harness/load.ts';
import { probe } from '../../harness/probe.ts';
import { rawListener, rawSlot, rawWasm } from '../../harness/raw-resources.ts';
import { startRawScene } from '../../harness/raw-scene.ts';
import { until } from '../../harness/wait.ts';
import { untilMore } from './attache-serving.ts';
import { SLOT, untilSent } from './raw-serving.ts';

/** Not written by us: its SDK traps in proxy_on_done of a root context. Answers say `hello: <configuration>`. */
function cannotLeave(): FixtureModule {
  const found = readCorpus().find(({ source }) => source.includes('@gcoredev/proxy-wasm-sdk-as'));
  assert.ok(found !== undefined);
  return { bytes: found.bytes, sha256: sha256Hex(found.bytes) };
}

const ROOT_ID = 'add_header';

test('trap: a plugin that traps when it is to go takes the VM of its next configuration along', async t => {
  const { xds, envoy, host, ...scene } = await startRawScene(t);
  const module = cannotLeave();
  host.add(module);
  const content = (configuration: string, nack: boolean) => {
    const { config, ...filter } = rawWasm({ name: 'hello', sha256: module.sha256, configuration, nack }) as {
      config: object;
    };
    return { ...filter, config: { ...config, root_id: ROOT_ID } };
  };
  await xds.waitRequest(() => true, 'the Envoy to connect');
  xds.pushListener('1', rawListener('main', [rawSlot({ name: SLOT, unanswered: 'deny' })]));
  await xds.waitSubscribed(SLOT);
  await xds.pushSlot(SLOT, 'first.w', content('first', false)).verdict;
  await untilSent({ xds, envoy, host, ...scene }, module.sha256);
  const port = await envoy.listenerPort('main');
  assert.equal((await xds.pushSlot(SLOT, 'first.v', content('first', true)).verdict).ok, true);
  await until(async () => (await probe(port)).headers.hello === 'first', { what: 'the plugin' });
  assert.equal((await xds.pushSlot(SLOT, 'second.v', content('second', true)).verdict).ok, true);
  await until(async () => (await probe(port)).status === 503, { what: 'a VM that is dead' });
});

test('Attaché: each configuration of such a plugin has a VM of its own, and no request is lost', async t => {
  const scene = await startAttacheScene(t);
  const port = await serveMain(scene);
  const url = await scene.attache.offer(cannotLeave());
  await apply(scene, port, url, 1);
  const load = stopAfter(t, startLoad({ port, hasPlugin: ({ headers }) => headers.hello !== undefined }));
  await untilMore(load);
  for (const revision of [2, 3, 4]) await apply(scene, port, url, revision);
  await untilMore(load);
  await load.stop();
  t.diagnostic(`Attaché: ${load}`);
  assert.deepEqual([load.failed, load.withoutPlugin], [0, 0], JSON.stringify(load.failures.slice(0, 5)));
});

async function apply(scene: AttacheScene, port: number, url: string, revision: number): Promise<void> {
  const pluginConfig = { n: revision };
  await scene.attache.applyPlugin('hello', { url, pluginName: ROOT_ID, pluginConfig });
  await scene.attache.waitAccepted(scene.node, 'hello', revision);
  const expected = JSON.stringify(pluginConfig);
  await until(async () => (await probe(port)).headers.hello === expected, { what: `revision ${revision}` });
}
