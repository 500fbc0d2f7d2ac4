import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildStamp } from '../../harness/fixture-modules.ts';
import { UserTerminal } from '../../harness/user-terminal.ts';
import { until } from '../../harness/wait.ts';
import { type FleetScene, startFleet, startFleetLoad } from './fleet-scene.ts';
import {
  AT_ONCE,
  assertPlainWords,
  cli,
  install,
  rolloutOf,
  SHORT_STEPS,
  sentTo,
  stamp,
  stamps,
  untilPhase,
  untilSoaking,
} from './rollout-watch.ts';

const having = (all: Readonly<Record<string, string | null>>) =>
  Object.keys(all).filter(id => all[id] !== null);

/** How many nodes had the plugin at one time or another until its rollout of this number had succeeded. */
async function countUntilDone(
  fleet: FleetScene,
  plugin: string,
  number: number,
): Promise<ReadonlySet<number>> {
  const counts = new Set<number>();
  const isDone = async () => {
    counts.add(having(await stamps(fleet)).length);
    return (await rolloutOf(fleet.attache, plugin, number))?.phase === 'Succeeded';
  };
  const what = `${plugin} rollout ${number} to succeed`;
  await until(isDone, { what, deadlineMs: 60_000, everyMs: 100 });
  return counts;
}

test('zone waves on six Envoys: never two zones at once, and a person between them', async t => {
  const fleet = await startFleet(t);
  const { attache } = fleet;
  const steps = [
    { nodes: 1, soak: '1s' },
    { share: '100%', soak: '1s' },
  ];
  const waves = ['b', 'a', 'c'].map(zone => ({
    name: `zone ${zone}`,
    selector: { matchLabels: { zone } },
    steps,
    ...(zone === 'b' ? { pause: 'human' } : {}),
  }));
  const url = await attache.offer(await buildStamp('waves'));
  const appliedAt = Date.now();
  await attache.applyPlugin('auth', { url, pluginConfig: { stamp: 'one' }, rollout: { waves, bake: '1s' } });
  const paused = await untilPhase(attache, 'auth', 1, ['Paused']);
  assert.equal(paused.reason, 'Human');
  assert.deepEqual(having(await stamps(fleet)), ['edge-b-1', 'edge-b-2']);
  const waiting = await cli(attache, 'rollout', 'status', 'auth', '--once');
  assert.equal(waiting.code, 5);
  assert.match(waiting.out, /\n├─ step 2 zone b .* 2 of 6 nodes +(done|passed) .*\n├─ step 3 zone a /);
  assert.equal((await cli(attache, 'rollout', 'promote', 'auth', '-m', 'zone b looks good')).code, 0);
  await untilPhase(attache, 'auth', 1, ['Succeeded']);
  assert.equal(having(await stamps(fleet)).length, 6);
  const [b = [], a = [], c = []] = ['b', 'a', 'c'].map(zone =>
    [...fleet.nodes.values()].filter(node => node.zone === zone).flatMap(node => sentTo(node, appliedAt)),
  );
  assert.ok(Math.max(...b) < Math.min(...a), 'nothing was sent to zone a before zone b was done');
  assert.ok(Math.max(...a) < Math.min(...c), 'nothing was sent to zone c before zone a was done');
});

test('C-X3, C-A8: changes of the selector and a delete step by step on six Envoys, with the same tree', async t => {
  const fleet = await startFleet(t);
  const { attache } = fleet;
  const terminal = new UserTerminal(attache);
  const url = await attache.offer(await buildStamp('selector'));
  const document = (label: object, rollout: object) =>
    terminal.write('auth', {
      url,
      pluginConfig: { stamp: 'one' },
      selector: { matchLabels: { ...label } },
      rollout: { ...rollout },
    });
  assert.equal((await terminal.run('apply', '-f', document({ role: 'edge' }, AT_ONCE), '--wait')).code, 0);
  const loads = startFleetLoad(t, fleet);

  await t.test('C-X3: a typo in the selector takes the plugin off one node, and is aborted', async () => {
    const slow = { steps: [{ nodes: 1, soak: '10m' }] };
    const typo = await terminal.run('apply', '-f', document({ role: 'egde' }, slow));
    assert.equal(typo.code, 0);
    assert.match(typo.err, /matches no node, .*label role=egde/);
    const soaking = await untilSoaking(attache, 'auth', 2);
    assert.equal(soaking.change, 'placement');
    assert.equal(having(await stamps(fleet)).length, 5);
    assert.equal((await terminal.run('rollout', 'abort', 'auth', '-m', 'typo')).code, 0);
    await untilPhase(attache, 'auth', 2, ['Aborted']);
    await until(async () => having(await stamps(fleet)).length === 6, {
      what: 'the node to have it again',
    });
  });

  await t.test('C-X3: another selector removes nodes in steps, and adds them in steps', async () => {
    const fewer = await terminal.run('apply', '-f', document({ zone: 'a' }, SHORT_STEPS));
    assert.equal(fewer.code, 0, fewer.err);
    const left = await countUntilDone(fleet, 'auth', 3);
    assert.ok(left.has(5), `one leaves first: ${[...left].join(', ')} nodes had it`);
    assert.deepEqual(having(await stamps(fleet)), ['edge-a-1', 'edge-a-2']);
    assert.equal((await terminal.run('apply', '-f', document({ role: 'edge' }, SHORT_STEPS))).code, 0);
    const entered = await countUntilDone(fleet, 'auth', 4);
    assert.ok(entered.has(3), `one enters first: ${[...entered].join(', ')} nodes had it`);
    assert.equal(having(await stamps(fleet)).length, 6);
  });

  await t.test('C-A8: delete is a rollout with the same tree, and can be undone', async () => {
    const deleted = await terminal.run('delete', 'plugin', 'auth');
    assert.equal(deleted.code, 0, deleted.err);
    assert.match(
      deleted.out,
      /^plugin default\/auth: removing from 6 nodes, .*\nwatch: attache rollout status auth\n$/,
    );
    const tree = terminal.startInTerminal(t, 'rollout', 'status', 'auth');
    const counts = await countUntilDone(fleet, 'auth', 5);
    assert.ok(counts.has(5) && counts.has(3), `step by step: ${[...counts].join(', ')} nodes had it`);
    assert.equal(having(await stamps(fleet)).length, 0);
    assert.equal(await tree.ended, 0, tree.text.out);
    const drawn = tree.text.out.replaceAll('\r\n', '\n');
    for (const branch of [
      /auth {2}1 → none {3}Progressing .*started \d+ s ago by admin\n/,
      /\n├─ step 1 {3}1 node asked, 1 of 6 nodes +passed /,
      /\n├─ step 2 {3}50 % asked, 3 of 6 nodes +passed /,
      /\n├─ step 3 {3}100 % asked, 6 of 6 nodes +done /,
      /\n├─ bake +done +2(\.0)? s\n└─ gates /,
      /\nSucceeded in .*: 6 of 6 nodes run without (default\/)?auth\n$/,
    ])
      assert.match(drawn, branch);
    assert.equal((await attache.request('GET', '/v1/plugins/default/auth')).status, 404);
    assert.equal((await terminal.run('rollout', 'undo', 'auth', '-m', 'still needed')).code, 0);
    await until(async () => having(await stamps(fleet)).length === 6, {
      what: 'the undone delete',
    });
  });

  for (const [id, load] of loads) assert.equal(load.failed, 0, `${id}: ${load}`);
  assertPlainWords(terminal.printed);
});

test('C-X2, C-B6, acceptance 23: a first install asks nothing of nodes that are not due, excluded or gone', async t => {
  const fleet = await startFleet(t, { nodes: ['edge-a-1', 'edge-a-2', 'edge-b-1', 'edge-b-2'] });
  const { attache } = fleet;
  await fleet.node('edge-a-1').envoy.stop();
  await until(async () => (await attache.must('GET', '/v1/nodes/edge-a-1')).status.state === 'Disconnected', {
    what: 'edge-a-1 to be gone',
  });
  assert.equal((await cli(attache, 'node', 'exclude', 'edge-a-2', '-m', 'drained')).code, 0);
  const serving = ['edge-a-2', 'edge-b-1', 'edge-b-2'];
  const loads = startFleetLoad(t, fleet, { nodes: serving });
  const url = await attache.offer(await buildStamp('first'));
  const steps = [{ share: '30%', soak: '8s' }];
  await attache.applyPlugin('auth', {
    url,
    pluginConfig: { stamp: 'one' },
    failStrategy: 'FAIL_CLOSE',
    rollout: { steps, bake: '8s', maxDisconnected: '50%' },
  });
  const soaking = await untilSoaking(attache, 'auth', 1);
  // What follows takes as long as it takes.
  assert.equal((await cli(attache, 'rollout', 'pause', 'auth')).code, 0);
  const canary = soaking.steps[0]?.nodes[0]?.nodes[0] ?? '';
  assert.match(canary, /^edge-b/, 'the canary is connected and not excluded');
  for (const id of serving)
    assert.equal(await stamp(fleet.node(id)), id === canary ? 'one' : null, `${id} has it if it is due`);
  const without = await cli(attache, 'rollout', 'status', 'auth', '--once');
  assert.match(without.out, /\n├─ step 1 {3}30 % asked, 1 of 3 nodes .*\n/);
  assert.match(without.out, /\nnot counted: edge-a-2 \(Excluded: excluded by admin: drained\)\n/);
  const other = canary === 'edge-b-1' ? 'edge-b-2' : 'edge-b-1';
  assert.equal((await cli(attache, 'node', 'exclude', other)).code, 0);
  const fewer = await cli(attache, 'rollout', 'status', 'auth', '--once');
  assert.match(fewer.out, /\n├─ step 1 {3}30 % asked, 1 of 2 nodes .*\n/);
  assert.equal((await cli(attache, 'node', 'include', other)).code, 0);
  assert.equal((await cli(attache, 'rollout', 'resume', 'auth')).code, 0);
  await untilPhase(attache, 'auth', 1, ['Baking']);
  assert.equal((await cli(attache, 'rollout', 'pause', 'auth')).code, 0);
  for (const id of ['edge-b-1', 'edge-b-2']) assert.equal(await stamp(fleet.node(id)), 'one', id);
  assert.equal((await cli(attache, 'node', 'include', 'edge-a-2')).code, 0);
  await until(async () => (await stamp(fleet.node('edge-a-2'))) === 'one', { what: 'the included node' });
  const included = await cli(attache, 'rollout', 'status', 'auth', '--once');
  assert.match(included.out, /\n├─ step 2 {3}100 % asked, 4 of 4 nodes .*\n/);
  assert.doesNotMatch(included.out, /not counted/);
  assert.match((await cli(attache, 'get', 'nodes')).out, /edge-a-1 .*Disconnected .*runs unknown/);
  assert.equal((await cli(attache, 'delete', 'node', 'edge-b-1')).code, 7, 'it is connected');
  const forgotten = await cli(attache, 'delete', 'node', 'edge-a-1', '-m', 'retired');
  assert.deepEqual(
    [forgotten.code, /^node edge-a-1 forgotten\./.test(forgotten.out)],
    [0, true],
    forgotten.out,
  );
  assert.doesNotMatch((await cli(attache, 'get', 'nodes')).out, /edge-a-1/);
  // Who is forgotten is not waited for any more.
  assert.equal((await cli(attache, 'rollout', 'resume', 'auth')).code, 0);
  await untilPhase(attache, 'auth', 1, ['Succeeded']);
  for (const [id, load] of loads) assert.equal(load.failed, 0, `${id}: ${load}`);
});

test('C-B7: a frozen fleet changes nothing but going back', async t => {
  const fleet = await startFleet(t, { nodes: ['edge-a-1', 'edge-b-1'] });
  const { attache } = fleet;
  const terminal = new UserTerminal(attache);
  const url = await attache.offer(await buildStamp('freeze'));
  await install(attache, 'auth', { url, pluginConfig: { stamp: 'one' } });
  const steps = [{ nodes: 1, soak: '2s' }];
  const write = (stamped: string) =>
    terminal.write('auth', { url, pluginConfig: { stamp: stamped }, rollout: { steps, bake: '1s' } });
  assert.equal((await terminal.run('apply', '-f', write('two'))).code, 0);
  await untilPhase(attache, 'auth', 2, ['Progressing']);
  assert.equal((await terminal.run('freeze', '-m', 'on-call, until 09:00')).code, 0);
  const paused = await untilPhase(attache, 'auth', 2, ['Paused']);
  assert.equal(paused.reason, 'Frozen');
  const refused = await terminal.run('apply', '-f', write('three'));
  assert.equal(refused.code, 1);
  assert.match(
    refused.err,
    /^error: frozen by admin since \d\d:\d\d:\d\d: "on-call, until 09:00"\. attache unfreeze lifts it\.\n/,
  );
  assert.equal((await terminal.run('unfreeze')).code, 0);
  await untilPhase(attache, 'auth', 2, ['Succeeded']);
  assert.deepEqual(new Set(Object.values(await stamps(fleet))), new Set(['two']));
  assert.equal((await terminal.run('freeze', '-m', 'again')).code, 0);
  assert.equal((await terminal.run('rollout', 'undo', 'auth', '-m', 'also at night')).code, 0);
  assert.deepEqual(new Set(Object.values(await stamps(fleet))), new Set(['one']));
  assertPlainWords(terminal.printed);
});
