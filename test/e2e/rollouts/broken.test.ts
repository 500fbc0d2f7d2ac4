import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPlugin } from '../../../plugins/build.ts';
import { buildStamp, padTo, withSeed } from '../../harness/fixture-modules.ts';
import { probe } from '../../harness/probe.ts';
import { UserTerminal } from '../../harness/user-terminal.ts';
import { until } from '../../harness/wait.ts';
import { startFleet, startFleetLoad } from './fleet-scene.ts';
import {
  AT_ONCE,
  assertPlainWords,
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

test('acceptance 6 and 7, C-B3: on six Envoys a plugin that answers 503 is caught on its first node, by what Envoys push', async t => {
  const fleet = await startFleet(t);
  const { attache } = fleet;
  const terminal = new UserTerminal(attache);
  await install(attache, 'auth', {
    url: await attache.offer(await buildStamp('broken-good')),
    pluginConfig: { stamp: 'one' },
  });
  const loads = startFleetLoad(t, fleet);
  const bad = await attache.offer(await faulty('answers-503'));

  await t.test('C-B3: by its default document, in 15 s of its first requests, with both rates', async () => {
    // Nothing but the module: no rollout, no gates, no failStrategy. What ten Envoys get by default these ask for.
    const file = terminal.write('auth', { url: bad });
    const appliedAt = Date.now();
    const applied = await terminal.run('apply', '-f', file, '--preset', 'standard', '--wait');
    assert.equal(applied.code, 4, applied.out + applied.err);
    const end = await untilPhase(attache, 'auth', 2, ['RolledBack']);
    assert.equal(end.failure?.kind, 'broken');
    const canary = end.failure?.node ?? '';
    assert.deepEqual(touchedSince(fleet, appliedAt), [canary]);
    const first = loads.get(canary)?.failures[0];
    assert.equal(first?.what, '503');
    const tookMs = Date.parse(end.endedAt ?? '') - first.at.getTime();
    assert.ok(tookMs <= 15_000, `back ${tookMs} ms after the first answer of the plugin`);
    t.diagnostic(`back ${tookMs} ms after its first answer: ${end.failure?.text}`);
    assert.deepEqual(new Set(Object.values(await stamps(fleet))), new Set(['one']));
    for (const [id, load] of loads) if (id !== canary) assert.equal(load.failed, 0, `${id}: ${load}`);
    const { code, out } = await terminal.run('rollout', 'status', 'auth', '--once');
    assert.equal(code, 4);
    const rates = `${canary} answered 5xx to \\d+ of \\d+ requests in [\\d.]+ s; 5 others: 0 % of [\\d,]+`;
    assert.match(out, new RegExp(`\n {2}why: ${rates}\n`));
    assert.match(out, new RegExp(`\n[│├└ ─]+${canary} +Degraded `));
    assert.match(
      out,
      new RegExp(`: ${canary} is back on revision 1 \\(confirmed\\)\\. 5 nodes never touched\n`),
    );
  });

  await t.test(
    'acceptance 6: where only some answers become 5xx, both rates and the count are told',
    async () => {
      // Not broken: one request of seven, or of four on a busy machine.
      startFleetLoad(t, fleet, { path: '/some', perSecond: 5, isFailure: () => false });
      const rollout = { steps: [{ nodes: 1, soak: '30s' }] };
      const file = terminal.write('auth', { url: bad, pluginConfig: { path: '/some' }, rollout });
      const appliedAt = Date.now();
      assert.equal((await terminal.run('apply', '-f', file, '--wait')).code, 4);
      const end = await untilPhase(attache, 'auth', 3, ['RolledBack']);
      assert.deepEqual([end.failure?.kind, end.failure?.gate], ['gate', '5xx']);
      assert.equal(touchedSince(fleet, appliedAt).length, 1);
      const { out } = await terminal.run('rollout', 'status', 'auth', '--once');
      assert.match(out, /\n {2}why: .*canary \d\d(\.\d)? %, .* 0 %, [\d,]+ requests/);
      t.diagnostic(`${end.why}`);
    },
  );

  assertPlainWords(terminal.printed);
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
  const status = await cli(attache, 'rollout', 'status', 'auth', '--once');
  assert.equal(status.code, 4);
  const why = `default/auth crashed \\d+ times? on ${canary} since the move to .*; failure policy FAIL_RELOAD`;
  assert.match(status.out, new RegExp(`\n {2}why: ${why}\n`));
  assert.match(status.out, new RegExp(`: ${canary} is back on revision 1 .* 2 nodes never touched\n`));
  const other = await cli(attache, 'rollout', 'history', 'other');
  assert.match(other.out, /^REVISION.*\n1 .* Succeeded .*\n$/, 'the other plugin of the chain is not blamed');
});

test('acceptance 3: a plugin that takes Envoy ten seconds to load is shown as sent, not as lost', async t => {
  const fleet = await startFleet(t, { nodes: ['edge-a-1'] });
  const { attache } = fleet;
  const loads = startFleetLoad(t, fleet);
  // So large that its trial run may take as long.
  const url = await attache.offer(padTo((await faulty('slow-configure')).bytes, 15 << 20));
  await attache.applyPlugin('slow', { url, pluginConfig: { ms: '10000' }, rollout: AT_ONCE });
  const isSent = async () =>
    /\nslow +1 +– +(Sent|Fetching) +\d+/.test((await cli(attache, 'describe', 'node', 'edge-a-1')).out);
  await until(isSent, { what: 'the slow plugin to be shown as sent', deadlineMs: 60_000, everyMs: 300 });
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
  const baking = await cli(attache, 'rollout', 'status', 'auth', '--once');
  assert.match(
    baking.out,
    /^auth {2}1 → 2 {3}Baking {3}0:\d\d of 2:00 .*\n├─ step 1 .*100 % asked, 3 of 3 nodes .*\n(│.*\n)*├─ bake +0:\d\d of 2:00\n/,
  );
  await probe(fleet.node('edge-b-1').port, '/trap');
  const end = await untilPhase(attache, 'auth', 2, ['RolledBack'], 40_000);
  assert.equal(end.bake?.state, 'failed');
  assert.equal(end.failure?.node, 'edge-b-1');
  const status = await cli(attache, 'rollout', 'status', 'auth', '--once');
  assert.equal(status.code, 4);
  assert.match(
    status.out,
    /\n {2}why: .* on edge-b-1 .*\n├─ step 1 [^F]*\n(│.*\n)*├─ bake +FAILED after 0:\d\d of 2:00\n/,
  );
  assert.deepEqual(new Set(Object.values(await stamps(fleet))), new Set(['one']));
  assert.ok([...loads.values()].every(load => load.total > 0));
});
