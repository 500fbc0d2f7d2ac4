import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPlugin } from '../../../plugins/build.ts';
import { startAttacheScene } from '../../harness/attache-scene.ts';
import { rawChain, rawListener, rawSlot, rawWasm } from '../../harness/raw-resources.ts';
import { type RawScene, startRawScene } from '../../harness/raw-scene.ts';
import { holds, until } from '../../harness/wait.ts';
import { applyStamp, assertClean, serveFirst as serveByAttache } from './attache-serving.ts';
import { freshStamp, SLOT, stampAt, stampWith, untilSent, untilStamp } from './raw-serving.ts';

test('trap: one refused plugin holds the whole chain back, looks like a miss at first, and blocks listener changes', async t => {
  const scene = await startRawScene(t);
  const { xds, host } = scene;
  const stamp = await freshStamp(scene);
  const refusing = await buildPlugin('faulty/refuses-config-by-value');
  host.add(refusing);
  const chain = (text: string, refused: boolean) =>
    rawChain([
      stampWith(stamp, text, true),
      ...(refused
        ? [rawWasm({ name: 'refuses', sha256: refusing.sha256, nack: true, configuration: { refuse: true } })]
        : []),
    ]);
  const port = await serveChain(scene, rawChain([stampWith(stamp, 'one', false)]));
  await xds.pushSlot(SLOT, '1.v', chain('one', false)).verdict;

  const missed = await xds.pushSlot(SLOT, '2.v1', chain('two', true)).verdict;
  await untilSent(scene, refusing.sha256);
  const refused = await xds.pushSlot(SLOT, '2.v2', chain('two', true)).verdict;
  assert.deepEqual([missed.ok, refused.ok], [false, false]);
  assert.equal(missed.text, refused.text, 'a miss and a refusal have the same text …');
  assert.match(refused.text, /Unable to create Wasm plugin refuses/);
  assert.equal(host.getsOf(refusing.sha256).length, 1, '… and are told apart by the GET alone');
  await holds(async () => (await stampAt(port)) === 'one', { what: 'the good plugin waits too', forMs: 700 });

  const edited = {
    ...rawListener('main', [rawSlot({ name: SLOT })]),
    per_connection_buffer_limit_bytes: 65_536,
  };
  const blocked = await xds.pushListener('2', edited).verdict;
  assert.equal(
    blocked.ok,
    false,
    'the refused content stands in the way of every listener that uses the slot',
  );
  assert.match(blocked.text, /main/);

  // The way out: the good part alone, with new tags, and then the listener.
  assert.equal((await xds.pushSlot(SLOT, '3.v', chain('two', false)).verdict).ok, true);
  await untilStamp(port, 'two');
  assert.equal((await xds.pushListener('3', edited).verdict).ok, true);
});

async function serveChain(scene: RawScene, chain: ReturnType<typeof rawChain>): Promise<number> {
  const { xds, envoy } = scene;
  await xds.waitRequest(() => true, 'the Envoy to connect');
  xds.pushListener('1', rawListener('main', [rawSlot({ name: SLOT })]));
  await xds.waitSubscribed(SLOT);
  assert.equal((await xds.pushSlot(SLOT, '1.w', chain).verdict).ok, true);
  return envoy.listenerPort('main');
}

test('Attaché: the refused plugin alone is held back; the others move on, and listeners can be changed', async t => {
  const scene = await startAttacheScene(t, { drainTimeS: 2 });
  const { attache, envoy, node } = scene;
  const { port, load, url } = await serveByAttache(t, scene);
  const refusing = await attache.offer(await buildPlugin('faulty/refuses-config'));
  await Promise.all([
    attache.applyPlugin('refused', { url: refusing }),
    applyStamp(scene, 'stamp', 'second', { url }),
  ]);
  await until(async () => (await attache.pluginOn(node, 'refused'))?.refusedRevision === 1, {
    what: 'the refusal',
  });
  assert.match(
    (await attache.pluginOn(node, 'refused'))?.message ?? '',
    /Unable to create Wasm plugin default\/refused/,
  );
  await attache.waitAccepted(node, 'stamp', 2);
  assert.equal((await attache.pluginOn(node, 'stamp'))?.refusedRevision, null);
  await untilStamp(port, 'second');

  const edited = rawListener('main', [], { per_connection_buffer_limit_bytes: 65_536 });
  await attache.applyResource('listeners', 'main', edited);
  await until(async () => (await envoy.stat('listener_manager.listener_modified')) === 1, {
    what: 'the edit',
  });
  assert.equal(await envoy.stat('listener_manager.lds.update_rejected'), 0);
  await assertClean(t, load);
});
