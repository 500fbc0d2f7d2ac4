import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildStamp } from '../../harness/fixture-modules.ts';
import { UserTerminal } from '../../harness/user-terminal.ts';
import { until } from '../../harness/wait.ts';
import { SIX_NODES, startFleet, startFleetLoad } from './fleet-scene.ts';
import {
  assertPlainWords,
  install,
  rolloutOf,
  stamps,
  touchedSince,
  untilPhase,
  untilRollout,
} from './rollout-watch.ts';

test('acceptance 4, C-B5: killed in mid-rollout on six Envoys, it goes on at the same step, with the same nodes and the rest of the soak', async t => {
  const fleet = await startFleet(t);
  const { attache } = fleet;
  const terminal = new UserTerminal(attache);
  const url = await attache.offer(await buildStamp('restart'));
  await install(attache, 'auth', { url, pluginConfig: { stamp: 'one' } });
  const loads = startFleetLoad(t, fleet);
  const steps = [
    { nodes: 1, soak: '1s' },
    { share: '50%', soak: '12s' },
  ];
  const file = terminal.write('auth', {
    url,
    pluginConfig: { stamp: 'two' },
    rollout: { steps, bake: '1s' },
  });
  assert.equal((await terminal.run('apply', '-f', file)).code, 0);
  const watching = terminal.start(t, 'rollout', 'status', 'auth');
  const soaking = { what: 'the second step to soak for a while', deadlineMs: 60_000 };
  const before = await untilRollout(
    attache,
    'auth',
    2,
    soaking,
    view => view.step === 2 && view.timer?.what === 'soak' && view.timer.leftMs < 9_000,
  );
  const moved = await stamps(fleet);
  const late = Object.keys(moved).filter(id => moved[id] === 'one');
  assert.equal(late.length, 3);

  await attache.kill9();
  const killedAt = Date.now();
  assert.deepEqual(await stamps(fleet), moved, 'Envoys go on without us');
  const away = fleet.node(SIX_NODES.find(id => moved[id] === 'two') ?? '').envoy;
  // One that moved cannot come back yet: what is said while it is awaited is seen however fast the others are.
  process.kill(away.pid, 'SIGSTOP');
  try {
    await attache.startAgain();
    const after = await until(async () => rolloutOf(attache, 'auth', 2), {
      what: 'the rollout to be read again',
    });
    assert.deepEqual([after.phase, after.step], ['Progressing', 2]);
    // Written down at most once in five seconds: what was soaked by then is not soaked again.
    assert.ok((after.timer?.leftMs ?? 0) <= (before.timer?.leftMs ?? 0) + 5_500, 'what was soaked counts');
    const { out } = await terminal.run('rollout', 'status', 'auth', '--once');
    assert.match(
      out,
      /^auth {2}1 → 2 {3}Progressing {3}step 2 of 3 .*\n {2}\(Attaché restarted at \d\d:\d\d:\d\d; \d of 6 Envoys (is|are) back.*\)\n/,
    );
  } finally {
    process.kill(away.pid, 'SIGCONT');
  }

  let paused = false;
  const end = await until(
    async () => {
      const view = await rolloutOf(attache, 'auth', 2);
      paused ||= view?.phase === 'Paused';
      if (view?.step === 2) {
        assert.deepEqual(touchedSince(fleet, killedAt), [], 'nobody got what he had');
        assert.deepEqual(await stamps(fleet), moved, 'the same nodes');
      }
      return view?.phase === 'Succeeded' && view;
    },
    { what: 'the rollout to succeed', deadlineMs: 90_000, everyMs: 100 },
  );
  assert.equal(paused, false, 'our own restart pauses nothing');
  assert.equal(end.counts.done, 6);
  assert.deepEqual([...touchedSince(fleet, killedAt)].sort(), late.sort());
  assert.deepEqual(new Set(Object.values(await stamps(fleet))), new Set(['two']));
  for (const [id, load] of loads) assert.equal(load.failed, 0, `${id}: ${load}`);
  await untilPhase(attache, 'auth', 2, ['Succeeded']);
  assert.equal(await watching.ended, 0, watching.text.out + watching.text.err);
  assert.match(
    watching.text.out,
    /\n\d\d:\d\d:\d\d connected again\n[\s\S]*\nSucceeded in .*: 6 of 6 nodes run revision 2\n$/,
  );
  assert.match(watching.text.out + watching.text.err, /\d\d:\d\d:\d\d lost http:\S+, trying again\n/);
  assertPlainWords(terminal.printed);
});
