import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { buildPlugin } from '../../../plugins/build.ts';
import type { JsonObject } from '../../../src/model/plugin-spec.ts';
import { EXTENSION_CONFIG_TYPE } from '../../../src/model/type-url.ts';
import { startAttacheScene } from '../../harness/attache-scene.ts';
import { PASS_THROUGH, rawListener, rawSlot } from '../../harness/raw-resources.ts';
import { startRawScene } from '../../harness/raw-scene.ts';
import type { RawResource } from '../../harness/raw-xds-server.ts';
import { until } from '../../harness/wait.ts';
import { applyStamp, assertClean, offerStamp, serveFirst } from './attache-serving.ts';
import { freshStamp, stampAt, stampWith, untilSent, untilStamp } from './raw-serving.ts';

test('trap: the NACK of two slots in one response does not say which of them was applied', async t => {
  const scene = await startRawScene(t);
  const { xds, envoy } = scene;
  const module = await freshStamp(scene);
  await xds.waitRequest(() => true, 'the Envoy to connect');
  xds.pushListener('1', rawListener('main', [rawSlot({ name: 'one' }), rawSlot({ name: 'two' })]));
  await xds.waitSubscribed('one');
  await xds.pushSlot('one', '1', stampWith(module, 'before', false)).verdict;
  await xds.pushSlot('two', '1', PASS_THROUGH).verdict;
  const port = await envoy.listenerPort('main');
  await untilSent(scene, module.sha256);
  const good = (stamp: string) => toResource('one', stampWith(module, stamp, true));
  assert.equal((await xds.pushAndWait(EXTENSION_CONFIG_TYPE, [good('before')])).ok, true);
  await untilStamp(port, 'before');
  const bad = async () => toResource('two', stampWith(await freshStamp(scene), 'x', true, { name: 'other' }));

  const fates: string[] = [];
  for (let i = 1; i <= 6; i++) {
    const resources = i % 2 === 0 ? [good(`try-${i}`), await bad()] : [await bad(), good(`try-${i}`)];
    const verdict = await xds.pushAndWait(EXTENSION_CONFIG_TYPE, resources);
    assert.deepEqual([verdict.ok, verdict.text], [false, 'Unable to create Wasm plugin other']);
    await delay(300);
    fates.push((await stampAt(port)) === `try-${i}` ? 'applied' : 'held back');
    for (const slot of ['one', 'two'])
      assert.equal(await envoy.stat(`extension_config_discovery.http_filter.${slot}.config_fail`), i, slot);
  }
  // Which it is depends on the order in which this Envoy walks its subscriptions: nothing on the wire tells.
  t.diagnostic(`raw: refused and failed on both names each time; the good one was ${fates.join(', ')}`);
});

function toResource(name: string, typedConfig: JsonObject): RawResource {
  const json = { '@type': EXTENSION_CONFIG_TYPE, name, typed_config: typedConfig };
  return { name, version: `${performance.now()}`, json };
}

test('Attaché: a good and a refused plugin at the same time in two places: each gets its own verdict', async t => {
  const scene = await startAttacheScene(t);
  const { attache, node } = scene;
  const { port, load } = await serveFirst(t, scene);
  const refusing = await attache.offer(await buildPlugin('faulty/refuses-config'));
  await Promise.all([
    attache.applyPlugin('refused', { url: refusing, phase: 'AUTHN' }),
    applyStamp(scene, 'stamp', 'second', { url: await offerStamp(scene) }),
    applyStamp(scene, 'stats', 'stats', { url: await offerStamp(scene), phase: 'STATS' }),
  ]);
  await attache.waitAccepted(node, 'stamp', 2);
  await attache.waitAccepted(node, 'stats', 1);
  await until(async () => (await attache.pluginOn(node, 'refused'))?.refusedRevision === 1, {
    what: 'the refusal',
  });
  for (const plugin of ['stamp', 'stats'])
    assert.equal((await attache.pluginOn(node, plugin))?.refusedRevision, null, plugin);
  await untilStamp(port, 'second, stats');
  await assertClean(t, load);
});
