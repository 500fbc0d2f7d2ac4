import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../../src/model/plugin-spec.ts';
import { EXTENSION_CONFIG_TYPE } from '../../../src/model/type-url.ts';
import { PASS_THROUGH, rawListener, rawSlot } from '../../harness/raw-resources.ts';
import { startRawScene } from '../../harness/raw-scene.ts';
import type { RawResource } from '../../harness/raw-xds-server.ts';
import { holds } from '../../harness/wait.ts';
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

  const badFirst = await xds.pushAndWait(EXTENSION_CONFIG_TYPE, [await bad(), good('after')]);
  await holds(async () => (await stampAt(port)) === 'before', {
    what: 'the good one is held back',
    forMs: 700,
  });
  const goodFirst = await xds.pushAndWait(EXTENSION_CONFIG_TYPE, [good('after'), await bad()]);
  await untilStamp(port, 'after');

  for (const verdict of [badFirst, goodFirst]) {
    assert.equal(verdict.ok, false);
    assert.equal(verdict.text, 'Unable to create Wasm plugin other', 'the same words in both cases');
  }
  for (const slot of ['one', 'two'])
    assert.equal(await envoy.stat(`extension_config_discovery.http_filter.${slot}.config_fail`), 2, slot);
});

function toResource(name: string, typedConfig: JsonObject): RawResource {
  const json = { '@type': EXTENSION_CONFIG_TYPE, name, typed_config: typedConfig };
  return { name, version: `${performance.now()}`, json };
}
