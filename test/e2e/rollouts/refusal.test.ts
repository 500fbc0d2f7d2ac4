import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPlugin } from '../../../plugins/build.ts';
import { buildStamp, withSeed } from '../../harness/fixture-modules.ts';
import { startFleet, startFleetLoad } from './fleet-scene.ts';
import { cli, install, SHORT_STEPS, stamps, touchedSince, untilPhase } from './rollout-watch.ts';

const ENVOY_TEXT = 'Unable to create Wasm plugin default/auth';

test('acceptance 2, C-B1, C-B2: the canary refuses, everybody else is never touched, the same file is held back', async t => {
  const fleet = await startFleet(t);
  const { attache } = fleet;
  const good = await attache.offer(await buildStamp('refusal-good'));
  await install(attache, 'auth', { url: good, pluginConfig: { stamp: 'one' } });
  const loads = startFleetLoad(t, fleet);

  const refuses = withSeed((await buildPlugin('faulty/refuses-config')).bytes, 'refusal-canary');
  const bad = { url: await attache.offer(refuses), rollout: SHORT_STEPS };
  const appliedAt = Date.now();
  await attache.applyPlugin('auth', bad);
  const rolledBack = await untilPhase(attache, 'auth', 2, ['RolledBack']);

  assert.equal(rolledBack.failure?.kind, 'refusal');
  assert.equal(rolledBack.failure?.text, ENVOY_TEXT);
  assert.equal(rolledBack.failure?.count, 1);
  assert.equal(rolledBack.counts.untouched, 5);
  const canary = rolledBack.failure?.node ?? '';
  assert.deepEqual(touchedSince(fleet, appliedAt), [canary], 'nothing was sent to any other node');
  const refusedAt = Date.parse(rolledBack.failure?.at ?? '');
  const tookMs = Date.parse(rolledBack.endedAt ?? '') - refusedAt;
  assert.ok(tookMs <= 5_000, `back ${tookMs} ms after the refusal`);
  t.diagnostic(`all back ${tookMs} ms after the answer that confirmed the refusal`);
  assert.deepEqual(new Set(Object.values(await stamps(fleet))), new Set(['one']));

  const status = await cli(attache, 'rollout', 'status', 'auth', '--once');
  assert.equal(status.code, 4);
  for (const said of [ENVOY_TEXT, canary, 'RolledBack', 'attache rollout retry', 'wasm log default/auth'])
    assert.ok(status.out.includes(said), `status says ${said}:\n${status.out}`);

  const again = await attache.applyPlugin('auth', bad);
  assert.equal(again.result, 'held-back');
  assert.deepEqual(touchedSince(fleet, Date.parse(rolledBack.endedAt ?? '') + 1), []);
  assert.equal((await attache.must('GET', '/v1/plugins/default/auth')).status.desiredRevision, 1);
  for (const [id, load] of loads) assert.equal(load.failed, 0, `${id}: ${load}`);
});

test('C-B1: two of three nodes of the second step refuse, all of the step go back', async t => {
  const fleet = await startFleet(t);
  const { attache } = fleet;
  await install(attache, 'auth', { url: await attache.offer(await buildStamp('refusal-some')) });
  const refuses = withSeed((await buildPlugin('faulty/refuses-config')).bytes, 'refusal-some');
  const url = await attache.offer(refuses);
  const steps = [{ nodes: 1, soak: '1s' }, { share: '100%' }];
  // The wave of zone a passes: only Envoys of zone b refuse.
  const waves = [
    { name: 'a', selector: { matchLabels: { zone: 'a' } }, steps },
    { name: 'rest', steps },
  ];
  const loads = startFleetLoad(t, fleet);
  await attache.applyPlugin('auth', {
    url,
    pluginConfig: { node: 'edge-b' },
    rollout: { waves, bake: '1s' },
  });
  const end = await untilPhase(attache, 'auth', 2, ['RolledBack']);
  assert.equal(end.failure?.kind, 'refusal');
  assert.ok(end.failure.nodes.every(node => node.startsWith('edge-b')));
  assert.equal(end.back?.confirmed, end.back?.touched);
  const tookMs = Date.parse(end.endedAt ?? '') - Date.parse(end.failure?.at ?? '');
  assert.ok(tookMs <= 5_000, `back ${tookMs} ms after the refusal`);
  t.diagnostic(`${end.back?.touched} nodes back ${tookMs} ms after the answer that confirmed the refusal`);
  const byNode = (await attache.must('GET', '/v1/plugins/default/auth')).onNodes;
  for (const on of byNode) assert.equal(on.revision, 1, `${on.node} runs revision 1 again`);
  for (const [id, load] of loads) assert.equal(load.failed, 0, `${id}: ${load}`);
});
