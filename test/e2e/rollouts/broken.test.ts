import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPlugin } from '../../../plugins/build.ts';
import { buildStamp, padTo, withSeed } from '../../harness/fixture-modules.ts';
import { probe } from '../../harness/probe.ts';
import { until } from '../../harness/wait.ts';
import { startFleet, startFleetLoad } from './fleet-scene.ts';
import {
  AT_ONCE,
  cli,
  install,
  rolloutOf,
  stamps,
  touchedSince,
  untilPhase,
  untilRollout,
  untilSoaking,
} from './rollout-watch.ts';

const faulty = async (name: string) =>
  withSeed((await buildPlugin(`faulty/${name}`)).bytes, `broken-${Math.random()}`);

test('acceptance 6 and 7, C-B3: accepted and then 503 to everything, caught on its first node', async t => {
  const fleet = await startFleet(t);
  const { attache } = fleet;
  await install(attache, 'auth', {
    url: await attache.offer(await buildStamp('broken-good')),
    pluginConfig: { stamp: 'one' },
  });
  startFleetLoad(t, fleet);
  const appliedAt = Date.now();
  // No gates in the document, no failStrategy; one node first.
  const steps = [{ nodes: 1, soak: '60s' }];
  await attache.applyPlugin('auth', {
    url: await attache.offer(await faulty('answers-503')),
    rollout: { steps },
  });
  const end = await untilPhase(attache, 'auth', 2, ['RolledBack'], 60_000);
  assert.equal(end.failure?.kind, 'broken');
  const canary = end.failure?.node ?? '';
  assert.deepEqual(touchedSince(fleet, appliedAt), [canary]);
  assert.match(end.failure?.text ?? '', /\d+ of \d+ requests/, 'cites the requests');
  const movedAt = Date.parse(end.steps[0]?.startedAt ?? '');
  const tookMs = Date.parse(end.failure?.at ?? '') - movedAt;
  assert.ok(tookMs <= 17_000, `caught ${tookMs} ms after it was sent`);
  t.diagnostic(
    `caught ${tookMs} ms after it was sent, back ${end.back?.tookMs} ms later: ${end.failure?.text}`,
  );
  assert.deepEqual(new Set(Object.values(await stamps(fleet))), new Set(['one']));
  const status = await cli(attache, 'rollout', 'status', 'auth', '--once');
  assert.equal(status.code, 4);
  assert.match(status.out, new RegExp(`${canary}.*503|5xx.*${canary}`, 's'));
});

test('acceptance 16: a trap in traffic counts against plugin and node, and the failure policy is told', async t => {
  const fleet = await startFleet(t, { nodes: ['edge-a-1', 'edge-a-2', 'edge-b-1'], concurrency: 2 });
  const { attache } = fleet;
  await install(attache, 'other', {
    url: await attache.offer(await buildStamp('trap-other')),
    phase: 'STATS',
  });
  await install(attache, 'auth', { url: await attache.offer(await buildStamp('trap-good')) });
  startFleetLoad(t, fleet, { isFailure: () => false });
  const steps = [{ nodes: 1, soak: '60s' }];
  // Traps on few requests only: far below what 5xx gates see.
  const url = await attache.offer(await faulty('traps-on-request'));
  await attache.applyPlugin('auth', { url, pluginConfig: { path: '/trap' }, rollout: { steps } });
  const soaking = await untilSoaking(attache, 'auth', 2);
  const canary = soaking.steps[0]?.nodes[0]?.nodes[0] ?? '';
  const { port } = fleet.node(canary);
  await probe(port, '/trap');
  // A VM that crashed is noticed by the next request to its thread: each connection comes to one of two.
  for (let i = 0; i < 20; i++) await probe(port);
  const end = await untilPhase(attache, 'auth', 2, ['RolledBack'], 40_000);
  assert.equal(end.failure?.kind, 'reload');
  assert.equal(end.failure?.node, canary);
  assert.match(`${end.failure?.text} ${end.why}`, /FAIL_RELOAD/);
  assert.equal(
    (await rolloutOf(attache, 'other'))?.phase,
    'Succeeded',
    'the other plugin of the chain stays',
  );
});

test('a plugin that takes Envoy ten seconds to load is slow, not lost', async t => {
  const fleet = await startFleet(t, { nodes: ['edge-a-1'] });
  const { attache } = fleet;
  const loads = startFleetLoad(t, fleet);
  // So large that its trial run may take as long.
  const url = await attache.offer(padTo((await faulty('slow-configure')).bytes, 15 << 20));
  await attache.applyPlugin('slow', { url, pluginConfig: { ms: '10000' }, rollout: AT_ONCE });
  const seen = new Set<string>();
  const end = await until(
    async () => {
      const view = await rolloutOf(attache, 'slow', 1);
      for (const step of view?.steps ?? []) for (const group of step.nodes) seen.add(group.state);
      return view !== undefined && !view.active && view;
    },
    { what: 'the slow plugin to be everywhere', deadlineMs: 120_000, everyMs: 100 },
  );
  assert.equal(end.phase, 'Succeeded');
  assert.equal(end.counts.done, 1);
  assert.ok(seen.has('Sent') || seen.has('Fetching'), `it was under way: ${[...seen]}`);
  for (const wrong of ['Stale', 'Refused', 'Degraded'])
    assert.ok(!seen.has(wrong), `was never shown ${wrong}`);
  for (const [id, load] of loads) assert.equal(load.failed, 0, `${id}: ${load}`);
});

test('acceptance 13: the bake counts down at 100 %; a plugin that breaks in it goes back, and is marked so', async t => {
  const fleet = await startFleet(t, { nodes: ['edge-a-1', 'edge-b-1', 'edge-c-1'] });
  const { attache } = fleet;
  await install(attache, 'auth', {
    url: await attache.offer(await buildStamp('bake-good')),
    pluginConfig: { stamp: 'one' },
  });
  const url = await attache.offer(await faulty('traps-on-request'));
  const loads = startFleetLoad(t, fleet, { isFailure: () => false });
  await attache.applyPlugin('auth', {
    url,
    pluginConfig: { path: '/trap' },
    rollout: { preset: 'all-at-once', bake: '2m' },
  });
  const first = await untilPhase(attache, 'auth', 2, ['Baking']);
  const isLess = (view: typeof first) => (view.timer?.leftMs ?? 0) < (first.timer?.leftMs ?? 0);
  const later = await untilRollout(attache, 'auth', 2, { what: 'the bake to count down' }, isLess);
  assert.equal(later.phase, 'Baking');
  await probe(fleet.node('edge-b-1').port, '/trap');
  const end = await untilPhase(attache, 'auth', 2, ['RolledBack'], 40_000);
  assert.equal(end.bake?.state, 'failed');
  assert.equal(end.failure?.node, 'edge-b-1');
  assert.deepEqual(new Set(Object.values(await stamps(fleet))), new Set(['one']));
  assert.ok([...loads.values()].every(load => load.total > 0));
});
