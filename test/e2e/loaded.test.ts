/** Loaded: what an Envoy's stats prove beyond its ACK, and what they do not (docs/push-protocol.md). */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { buildPlugin } from '../../plugins/build.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import type { PluginOnNode } from '../harness/attache-process.ts';
import { type AttacheScene, serveMain, startAttacheScene } from '../harness/attache-scene.ts';
import { withSeed } from '../harness/fixture-modules.ts';
import { probe } from '../harness/probe.ts';
import { holds, until } from '../harness/wait.ts';

/** Of the stats, so that nobody waits for them. */
const FLUSH_MS = 300;
/** As many flushes as would be enough for a proof, several times over. */
const FOR_GOOD_MS = 15 * FLUSH_MS;

interface Story {
  readonly scene: AttacheScene;
  readonly port: number;
  /** `stamp#2`: the module of plugins/stamp, under a digest of its own. */
  apply(plugin: string, module: string, config?: JsonObject, more?: JsonObject): Promise<void>;
  untilLoaded(plugin: string, revision: number): Promise<PluginOnNode>;
  /** Until the node has accepted it, and from then on for as long as a proof would take several times over. */
  staysAccepted(plugin: string, revision: number): Promise<void>;
}

async function begin(
  t: TestContext,
  version: string,
  editBootstrap: (text: string) => string = text => `stats_flush_interval: ${FLUSH_MS / 1000}s\n${text}`,
): Promise<Story> {
  const scene = await startAttacheScene(t, { version, concurrency: 2, editBootstrap });
  const { attache, node } = scene;
  const port = await serveMain(scene);
  assert.equal((await probe(port)).status, 200);
  const modules = new Map<string, string>();
  const offer = async (module: string): Promise<string> => {
    const [name = '', seed = ''] = module.split('#');
    const url = modules.get(module) ?? (await attache.offer(withSeed((await buildPlugin(name)).bytes, seed)));
    modules.set(module, url);
    return url;
  };
  return {
    scene,
    port,
    async apply(plugin, module, config = {}, more = {}) {
      await attache.applyPlugin(plugin, {
        url: await offer(module),
        pluginConfig: config,
        rollout: { preset: 'all-at-once' },
        ...more,
      });
    },
    untilLoaded: (plugin, revision) =>
      until(
        async () => {
          const said = await attache.pluginOn(node, plugin);
          return said?.state === 'Loaded' && said.revision === revision && said;
        },
        { what: `${plugin} ${revision} to be loaded` },
      ),
    async staysAccepted(plugin, revision) {
      await attache.waitAccepted(node, plugin, revision);
      await holds(
        async () => {
          const said = await attache.pluginOn(node, plugin);
          return said?.state === 'Accepted' && said.revision === revision;
        },
        { what: `${plugin} ${revision} to stay Accepted`, forMs: FOR_GOOD_MS },
      );
    },
  };
}

for (const version of ['1.40.0', '1.36.2'])
  test(`good plugins are Loaded: first, configured anew, from another module, also after restarts, on Envoy ${version}`, async t => {
    const { scene, apply, untilLoaded } = await begin(t, version);
    await apply('stamp', 'stamp#1', { stamp: 'a' });
    await untilLoaded('stamp', 1);
    await apply('stamp', 'stamp#1', { stamp: 'b' });
    await untilLoaded('stamp', 2);
    await apply('stamp', 'stamp#2', { stamp: 'b' });
    await untilLoaded('stamp', 3);
    await apply('other', 'stamp#3', { stamp: 'c' });
    await untilLoaded('other', 1);
    assert.equal((await scene.attache.pluginOn(scene.node, 'stamp'))?.state, 'Loaded', 'its own part stayed');

    await scene.attache.end();
    await scene.attache.startAgain();
    await until(
      async () => (await scene.attache.must('GET', `/v1/nodes/${scene.node}`)).status.state === 'Connected',
      {
        what: 'the Envoy to be back',
      },
    );
    for (const [plugin, revision] of [
      ['stamp', 3],
      ['other', 1],
    ] as const)
      await untilLoaded(plugin, revision);
    // The next proof begins with what flushes said before the push.
    await holds(async () => (await scene.attache.pluginOn(scene.node, 'stamp'))?.state === 'Loaded', {
      what: 'stamp to stay loaded',
      forMs: 5 * FLUSH_MS,
    });
    await apply('stamp', 'stamp#4', { stamp: 'b' });
    await untilLoaded('stamp', 4);
  });

for (const version of ['1.40.0', '1.36.2'])
  test(`a plugin that starts on no worker stays Accepted for good, on Envoy ${version}`, async t => {
    const { port, apply, untilLoaded, staysAccepted } = await begin(t, version);
    await apply('auth', 'faulty/worker-only#1');
    await staysAccepted('auth', 1);
    assert.equal((await probe(port)).headers['x-worker-only'], undefined, 'requests pass without it');
    await apply('auth', 'stamp#1', { stamp: 'a' });
    await untilLoaded('auth', 2);
    await apply('auth', 'faulty/worker-only#2');
    await staysAccepted('auth', 3);
    await apply('auth', 'stamp#2', { stamp: 'a' });
    await untilLoaded('auth', 4);
  });

test('old VMs that an open request keeps are not taken for new ones that did not start', async t => {
  const { scene, port, apply, untilLoaded, staysAccepted } = await begin(t, '1.40.0');
  await apply('auth', 'stamp#1', { stamp: 'a' });
  await untilLoaded('auth', 1);
  // It keeps the base and a worker's VM of the old plugin: as many as the new one lacks.
  const open = probe(port, '/held');
  const underWay = () => scene.envoy.stat('http.main.downstream_rq_active');
  await until(async () => (await underWay()) === 1, { what: 'the request to be under way' });
  await apply('auth', 'faulty/worker-only#1', { from: 3 });
  await staysAccepted('auth', 2);
  assert.equal(await scene.envoy.stat('wasm.envoy.wasm.runtime.v8.active'), 4);
  scene.upstream.release();
  assert.equal((await open).status, 200);
  await until(async () => (await underWay()) === 0, { what: 'the request to end' });
  await staysAccepted('auth', 2);
});

test('an Envoy that sends no stats stays at Accepted', async t => {
  const withoutSink = (text: string) => text.replace(/^stats_sinks:\n(?:[- ].*\n)+/m, '');
  const { apply, staysAccepted } = await begin(t, '1.40.0', withoutSink);
  await apply('stamp', 'stamp#1', { stamp: 'a' });
  await staysAccepted('stamp', 1);
});

test('an Envoy that begins with its plugins has them Loaded, the warming form and all', async t => {
  const { scene, apply, untilLoaded } = await begin(t, '1.40.0');
  await apply('stamp', 'stamp#1', { stamp: 'a' });
  await apply('other', 'stamp#2', { stamp: 'b' }, { phase: 'AUTHN' });
  await untilLoaded('stamp', 1);
  await untilLoaded('other', 1);
  const { process } = (await scene.attache.must('GET', `/v1/nodes/${scene.node}`)).status;
  await scene.envoy.kill9();
  const again = await scene.startEnvoyAgain();
  await again.waitReady();
  await until(
    async () => {
      const { status } = await scene.attache.must('GET', `/v1/nodes/${scene.node}`);
      return process === undefined || status.process !== process;
    },
    { what: 'the new process' },
  );
  await probe(await again.listenerPort('main'));
  await untilLoaded('stamp', 1);
  await untilLoaded('other', 1);
});
