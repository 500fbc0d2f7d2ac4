import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeMoves, putRollout, writeScene } from '../api/rollout-records.ts';
import { ID, makeRefusedRollout, makeSoaking, moved, pick, start } from '../api/rollout-scene.ts';
import { makeRollout, makeSide, NOW } from '../model/records.ts';

test('a rollout under way tells its steps, its nodes, its clock, and what it may be asked for', async t => {
  const { call, store } = await start(t);
  await writeScene(store, {
    now: NOW,
    rollout: makeSoaking(),
    moves: makeMoves(ID, NOW - 1_700, 1, 4),
    assignment: { moved: [moved] },
  });
  const { body } = await call('GET', `/v1/rollouts/${ID}`);
  assert.deepEqual([body.title, body.phase, body.active, body.step], ['7 → 8', 'Progressing', true, 2]);
  assert.deepEqual(pick(body.steps, 'asked', 'reaches', 'of', 'word', 'text'), [
    ['1 node asked', 1, 20, 'passed', '31 s'],
    ['20 % asked', 4, 20, 'soaking', '0:12 of 0:30'],
    ['50 % asked', 10, 20, 'waiting', ''],
    ['100 % asked', 20, 20, 'waiting', ''],
  ]);
  assert.deepEqual(pick(body.steps[0].nodes, 'state', 'count', 'nodes', 'text'), [
    ['Accepted', 1, ['edge-00'], 'revision 8  0.8 s after sending'],
  ]);
  assert.deepEqual(pick(body.steps[1].nodes, 'state', 'count', 'text'), [['Accepted', 3, 'revision 8']]);
  assert.deepEqual(body.steps[2].nodes, []);
  assert.deepEqual(body.timer, { what: 'soak', leftMs: 18_000, totalMs: 30_000, running: true });
  assert.equal(body.expectedMs, 18_000 + 30_000 + 60_000);
  assert.deepEqual(body.counts, {
    targets: 20,
    touched: 4,
    untouched: 16,
    done: 4,
    refused: 0,
    waiting: 0,
    disconnected: 0,
  });
  assert.deepEqual(body.bake, { state: 'waiting', totalMs: 60_000, elapsedMs: 0 });
  assert.deepEqual(body.actions, ['pause', 'promote', 'abort', 'undo']);
  assert.deepEqual([body.outcome, body.why, body.waitsForPerson], [null, null, false]);
  assert.equal(
    body.plan,
    'preset fast (default below 10 nodes): 1, 4, 10, 20 nodes; about 3 min with the bake',
  );
  assert.deepEqual([body.from.digest, body.to.digest], ['7'.repeat(12), '8'.repeat(12)]);
});

test('nodes of a step stand together by what they say, the ones to look at last', async t => {
  const { call, store } = await start(t);
  await writeScene(store, {
    now: NOW,
    rollout: makeSoaking(),
    moves: makeMoves(ID, NOW - 1_700, 1, 4),
    assignment: { moved: [moved] },
    runs: (id, isMoved) => (id === 'edge-02' ? null : id === 'edge-03' ? 7 : isMoved ? 8 : 7),
  });
  const { body } = await call('GET', `/v1/rollouts/${ID}`);
  assert.deepEqual(pick(body.steps[1].nodes, 'state', 'nodes', 'lastKnown'), [
    ['Accepted', ['edge-01'], false],
    ['Pending', ['edge-02'], true],
    ['Pending', ['edge-03'], false],
  ]);
  assert.deepEqual([body.counts.done, body.counts.waiting, body.counts.disconnected], [2, 1, 1]);
  assert.deepEqual(body.notes, ['1 target is not connected; it gets it when it returns']);
});

test('C-B5: after our restart the soak stands still until the moved nodes are back, and the answer says so', async t => {
  const { call, store } = await start(t, { startedAt: NOW - 5_000 });
  await writeScene(store, {
    now: NOW,
    rollout: makeSoaking(),
    moves: makeMoves(ID, NOW - 20_000, 1, 4),
    assignment: { moved: [moved] },
    presence: id =>
      id === 'edge-01'
        ? { connected: false, since: NOW - 5_000 }
        : id === 'edge-19'
          ? { connected: false, since: NOW - 86_400_000 }
          : { since: NOW - 4_000 },
  });
  const { body } = await call('GET', `/v1/rollouts/${ID}`);
  const time = new Date(NOW - 5_000).toISOString();
  assert.deepEqual(body.notes, [
    `Attaché restarted at ${time}; 18 of 19 Envoys are back, waiting for the rest before judging`,
  ]);
  assert.deepEqual(body.timer, { what: 'soak', leftMs: 20_000, totalMs: 30_000, running: false });
  assert.deepEqual([body.phase, body.step], ['Progressing', 2]);
});

test('acceptance 23: nodes that take no part are named with their reason, and leave the percentages', async t => {
  const { call, store } = await start(t);
  await writeScene(store, {
    now: NOW,
    rollout: makeSoaking(),
    moves: makeMoves(ID, NOW - 20_000, 1, 4),
    assignment: { moved: [moved] },
    presence: id => (id === 'edge-19' ? { slots: [] } : {}),
  });
  const excluded = { by: 'admin', message: 'drained', at: NOW };
  await store.put('NodePolicy', 'edge-18', { node: 'edge-18', excluded });
  const { body } = await call('GET', `/v1/rollouts/${ID}`);
  assert.deepEqual(pick(body.outside, 'node', 'reason'), [
    ['edge-18', 'Excluded'],
    ['edge-19', 'NoPlace'],
  ]);
  assert.equal(body.outside[0].text, 'excluded by admin: drained');
  assert.deepEqual(pick(body.steps, 'reaches', 'of'), [
    [1, 19],
    [4, 19],
    [10, 19],
    [19, 19],
  ]);
  assert.equal(body.counts.targets, 19);
});

test('the list filters by plugin, phase and activity, newest first, without the nodes', async t => {
  const { call, store } = await start(t);
  await writeScene(store, {
    now: NOW,
    rollout: makeSoaking(),
    moves: makeMoves(ID, NOW - 20_000, 1, 4),
    assignment: { moved: [moved] },
  });
  await putRollout(store, makeRollout({ id: 'default.auth.2', number: 2, startedAt: NOW - 90_000 }));
  const other = { id: 'edge.limit.1', plugin: 'edge/limit', startedAt: NOW - 80_000 };
  await putRollout(store, makeRollout({ ...other, phase: 'RolledBack' }));
  const ids = async (query: string) =>
    pick((await call('GET', `/v1/rollouts${query}`)).body.items, 'id').flat();
  assert.deepEqual(await ids(''), [ID, 'edge.limit.1', 'default.auth.2']);
  assert.deepEqual(await ids('?plugin=default/auth'), [ID, 'default.auth.2']);
  assert.deepEqual(await ids('?active=true'), [ID]);
  assert.deepEqual(await ids('?active=false&phase=RolledBack'), ['edge.limit.1']);
  assert.deepEqual(await ids('?limit=1'), [ID]);
  assert.equal((await call('GET', '/v1/rollouts?phase=Nothing')).status, 400);
  const [first] = (await call('GET', '/v1/rollouts?active=true')).body.items;
  assert.deepEqual([first.counts.touched, first.steps[0].nodes], [4, []]);
  for (const id of ['default.auth.9', 'default.none.latest', 'nonsense', 'a.b'])
    assert.equal((await call('GET', `/v1/rollouts/${id}`)).body.code, 'not-found');
});

test('history tells revision, digest, configuration, what changed, result, who, why and how long', async t => {
  const { call, store } = await start(t);
  await writeScene(store, { now: NOW, rollout: makeRefusedRollout(), runs: () => 7 });
  await putRollout(
    store,
    makeRollout({
      id: 'default.auth.2',
      number: 2,
      kind: 'install',
      from: makeSide(null),
      to: makeSide(7),
      startedAt: NOW - 900_000,
      endedAt: NOW - 800_000,
    }),
  );
  const { items } = (await call('GET', '/v1/plugins/default/auth/rollouts')).body;
  assert.deepEqual(pick(items, 'revision', 'digest', 'result', 'by', 'message', 'cause', 'durationMs'), [
    [8, '8'.repeat(12), 'RolledBack', 'admin', 'auth 1.6.0, JIRA-812', 'refused by 2 nodes', 129_000],
    [7, '7'.repeat(12), 'Succeeded', 'admin', null, null, 100_000],
  ]);
  assert.deepEqual(items[0].diff, [
    { path: 'spec.priority', before: '7', after: '8' },
    { path: 'module', before: `"${'7'.repeat(12)}"`, after: `"${'8'.repeat(12)}"` },
  ]);
  assert.match(items[0].config, /^[0-9a-f]{6}$/);
  assert.deepEqual(items[1].diff, []);
  assert.equal((await call('GET', '/v1/plugins/default/none/rollouts')).status, 404);
});

test('C-X1: no answer about rollouts holds a word that is only ours', async t => {
  const { call, store } = await start(t);
  await writeScene(store, {
    now: NOW,
    rollout: makeRefusedRollout(),
    moves: makeMoves(ID, NOW - 10_000, 1, 4),
    runs: () => 7,
  });
  for (const path of [
    '/v1/rollouts',
    `/v1/rollouts/${ID}`,
    '/v1/plugins/default/auth/rollouts',
    '/v1/freeze',
  ])
    assert.doesNotMatch(
      JSON.stringify((await call('GET', path)).body),
      /slot|attempt|verdict|process|nonce|cohort/i,
    );
});
