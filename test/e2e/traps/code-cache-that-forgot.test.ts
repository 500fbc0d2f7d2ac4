import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { isAccepted } from '../../harness/attache-process.ts';
import { serveMain, startAttacheScene } from '../../harness/attache-scene.ts';
import { stopAfter } from '../../harness/cleanup.ts';
import { startClockShim } from '../../harness/clock-shim.ts';
import { rawChain, rawListener, rawSlot } from '../../harness/raw-resources.ts';
import { startRawScene } from '../../harness/raw-scene.ts';
import { until } from '../../harness/wait.ts';
import { applyStamp, assertClean, offerStamp, startStampedLoad, untilMore } from './attache-serving.ts';
import { freshStamp, SLOT, stampAt, stampWith, untilSent, untilStamp } from './raw-serving.ts';

/** An Envoy whose chain of three plugins is a day old: 25 h have passed since their code was last looked up. */
async function serveDayOldChain(t: TestContext) {
  const clock = stopAfter(t, await startClockShim());
  const scene = await startRawScene(t, { env: clock.env });
  const { xds, envoy } = scene;
  const modules = [await freshStamp(scene), await freshStamp(scene), await freshStamp(scene)];
  const chain = (stamps: readonly string[], nack: boolean) =>
    rawChain(modules.map((module, i) => stampWith(module, stamps[i]!, nack, { name: `plugin-${'abc'[i]}` })));
  await xds.waitRequest(() => true, 'the Envoy to connect');
  xds.pushListener('1', rawListener('main', [rawSlot({ name: SLOT })]));
  await xds.waitSubscribed(SLOT);
  await xds.pushSlot(SLOT, '1.w', chain(['a1', 'b1', 'c1'], false)).verdict;
  const port = await envoy.listenerPort('main');
  for (const module of modules) await untilSent(scene, module.sha256);
  assert.equal((await xds.pushSlot(SLOT, '1.v', chain(['a1', 'b1', 'c1'], true)).verdict).ok, true);
  await untilStamp(port, 'c1, b1, a1');
  await clock.advanceHours(25);
  return { scene, port, modules, chain };
}

test('trap: a day later a change of the first plugin is refused with the names of unchanged ones', async t => {
  const { scene, port, modules, chain } = await serveDayOldChain(t);
  const texts: string[] = [];
  for (let attempt = 1; attempt <= 6; attempt++) {
    const verdict = await scene.xds.pushSlot(SLOT, `2.v${attempt}`, chain(['a2', 'b1', 'c1'], true)).verdict;
    if (verdict.ok) break;
    texts.push(verdict.text);
    const named = modules['abc'.indexOf(/plugin-([abc])/.exec(verdict.text)?.[1] ?? '')];
    await untilSent(scene, named!.sha256, 2);
  }
  t.diagnostic(`raw: ${texts.join(' | ')}`);
  assert.ok(
    texts.some(text => text.includes('plugin-b')),
    'a refusal that names an unchanged plugin',
  );
  await untilStamp(port, 'c1, b1, a2');
});

test('trap: a day later a plain edit of the listener is refused, and the same bytes are taken a moment later', async t => {
  const { scene, port, modules } = await serveDayOldChain(t);
  const edited = {
    ...rawListener('main', [rawSlot({ name: SLOT })]),
    per_connection_buffer_limit_bytes: 65_536,
  };
  let attempts = 0;
  for (;;) {
    const verdict = await scene.xds.pushListener(`2.${++attempts}`, edited).verdict;
    if (verdict.ok) break;
    assert.match(verdict.text, /Unable to create Wasm plugin plugin-/);
    assert.ok(attempts <= 6);
    const named = modules['abc'.indexOf(/plugin-([abc])/.exec(verdict.text)?.[1] ?? '')];
    await untilSent(scene, named!.sha256, 2);
  }
  assert.ok(attempts > 1, 'refused first');
  assert.equal(await stampAt(port), 'c1, b1, a1');
  t.diagnostic(`raw: the listener was taken at attempt ${attempts}`);
});

test('Attaché: a day later a change of one plugin, and of the listener, goes through without a refusal', async t => {
  const clock = stopAfter(t, await startClockShim());
  const scene = await startAttacheScene(t, { env: clock.env, drainTimeS: 2 });
  const { attache, envoy, node } = scene;
  const port = await serveMain(scene);
  const urls = [await offerStamp(scene), await offerStamp(scene), await offerStamp(scene)];
  for (const [i, name] of ['a', 'b', 'c'].entries())
    await applyStamp(scene, name, `${name}1`, { url: urls[i]!, priority: 30 - i });
  for (const name of ['a', 'b', 'c']) await attache.waitAccepted(node, name, 1);
  await untilStamp(port, 'c1, b1, a1');

  // The jump closes idle connections, as any Envoy would after an hour: load begins after it.
  await clock.advanceHours(25);
  const load = startStampedLoad(t, port);
  await untilMore(load);
  await applyStamp(scene, 'a', 'a2', { url: urls[0]!, priority: 30 });
  await attache.waitAccepted(node, 'a', 2);
  await untilStamp(port, 'c1, b1, a2');
  await assertClean(t, load);

  await clock.advanceHours(25);
  const again = startStampedLoad(t, port);
  await untilMore(again);
  const edited = rawListener('main', [], { per_connection_buffer_limit_bytes: 65_536 });
  await attache.applyResource('listeners', 'main', edited);
  await until(async () => (await envoy.stat('listener_manager.listener_modified')) === 1, {
    what: 'the edit',
  });
  await assertClean(t, again);
  for (const name of ['a', 'b', 'c']) {
    const said = await attache.pluginOn(node, name);
    assert.deepEqual([isAccepted(said), said?.refusedRevision], [true, null], name);
  }
  const { refusedResources } = (await attache.must('GET', `/v1/nodes/${node}`)).status;
  assert.deepEqual(refusedResources, []);
});
