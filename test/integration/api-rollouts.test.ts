import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ApiServerOptions } from '../../src/api/server.ts';
import type { Clock } from '../../src/model/ports.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { revisionKey } from '../../src/store/record-kinds.ts';
import { startApi, systemClock } from '../api/api-client.ts';
import {
  makeMoves,
  makeRevision,
  makeStep,
  makeUpdate,
  NODES,
  putRollout,
  writeScene,
} from '../api/rollout-records.ts';
import { makeAssignment, makeRollout, makeSide, NOW, PLUGIN } from '../model/records.ts';

const ID = 'default.auth.3';
const clock: Clock = { ...systemClock, now: () => NOW };

async function start(t: TestContext, over: Partial<ApiServerOptions> = {}) {
  const store = createMemoryStore();
  const api = await startApi(store, { clock, startedAt: NOW - 3_600_000, ...over });
  t.after(async () => {
    await api.stop();
    await store.close();
  });
  return { ...api, store };
}

/** Step 1 passed, step 2 soaks for 12 of 30 s. */
function makeSoaking() {
  const update = makeUpdate();
  return makeUpdate({
    startedAt: NOW - 60_000,
    step: 1,
    stage: 'Soaking',
    timer: { leftMs: 20_000, at: NOW - 2_000 },
    steps: [
      { ...update.steps[0], state: 'passed', startedAt: NOW - 60_000, endedAt: NOW - 29_000 } as never,
      { ...update.steps[1], state: 'active', startedAt: NOW - 29_000, appliedMs: 900 } as never,
      ...update.steps.slice(2),
    ],
  });
}

const moved = { rollout: ID, side: makeSide(8), nodes: NODES.slice(0, 4), since: NOW - 60_000 };

// biome-ignore lint/suspicious/noExplicitAny: a test reads what the schema has already vouched for
const pick = (items: readonly any[], ...keys: string[]) => items.map(item => keys.map(key => item[key]));

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

/** Transcript B1: two of the nodes of step 2 refuse. */
function makeRefusedRollout() {
  const update = makeUpdate();
  const [first, second] = update.steps;
  return makeUpdate({
    phase: 'RolledBack',
    reason: 'Refused',
    note: 'auth 1.6.0, JIRA-812',
    startedAt: NOW - 130_000,
    endedAt: NOW - 1_000,
    since: NOW - 1_000,
    step: 1,
    steps: [
      { ...first, state: 'passed', startedAt: NOW - 130_000, endedAt: NOW - 10_000 } as never,
      { ...second, state: 'failed', startedAt: NOW - 10_000, endedAt: NOW - 8_800 } as never,
      ...update.steps.slice(2),
    ],
    failure: {
      kind: 'refusal',
      node: 'edge-01',
      nodes: ['edge-01', 'edge-03'],
      count: 2,
      text: 'Unable to create Wasm plugin default/auth',
      at: NOW - 8_800,
      step: 1,
      baking: false,
    },
    back: { touched: 4, confirmed: 4, startedAt: NOW - 8_800, tookMs: 2_900, missing: [] },
  });
}

test('B1: one answer says what, why, which nodes, where the cause is, and what to type', async t => {
  const { call, store } = await start(t);
  await writeScene(store, {
    now: NOW,
    rollout: makeRefusedRollout(),
    moves: makeMoves(ID, NOW - 10_000, 1, 4),
    runs: () => 7,
  });
  await store.put(
    'Revision',
    revisionKey(PLUGIN, 8),
    makeRevision(8, { env: [{ name: 'TOKEN_FILE', valueFrom: 'HOST' }] }),
  );
  const { body } = await call('GET', '/v1/rollouts/default.auth.latest');
  const time = new Date(NOW - 8_800).toISOString();
  assert.equal(
    body.why,
    `2 nodes refused revision 8, first edge-01 at ${time}: "Unable to create Wasm plugin default/auth"`,
  );
  assert.deepEqual(pick(body.steps, 'state', 'word', 'text'), [
    ['passed', 'passed', '2m 0s'],
    ['failed', 'FAILED', 'after 1.2 s'],
    ['waiting', 'not started', ''],
    ['waiting', 'not started', ''],
  ]);
  assert.deepEqual(pick(body.steps[1].nodes, 'state', 'count', 'nodes', 'text'), [
    ['Accepted', 1, ['edge-02'], 'revision 8, back on 7 (1 of 1 confirmed, 2.9 s)'],
    ['Refused', 2, ['edge-01', 'edge-03'], 'never left revision 7'],
  ]);
  assert.equal(
    body.outcome,
    'RolledBack in 2.9 s: 4 of 4 nodes are back on revision 7 (confirmed). 16 nodes never touched',
  );
  assert.deepEqual([body.counts.touched, body.counts.untouched, body.counts.refused], [4, 16, 2]);
  assert.deepEqual([body.back.touched, body.back.confirmed], [4, 4]);
  assert.equal(
    body.cause[0],
    `the cause is in the Envoy log of those nodes only. There: grep 'wasm log default/auth' <envoy log>, around ${time}`,
  );
  assert.match(body.cause[1], /env TOKEN_FILE comes from the host/);
  assert.deepEqual(body.next, [
    { command: null, text: 'fix and apply' },
    { command: 'attache rollout retry auth', text: 'to try it again' },
  ]);
  assert.deepEqual(body.actions, ['retry', 'undo']);
});

test('B3: a node that answers 5xx is shown with both rates, and back with its confirmation', async t => {
  const { call, store } = await start(t);
  const text = 'accepted, then answered 5xx to 398 of 398 requests in 10 s; 19 others: 0.2 % of 121,940';
  const update = makeUpdate();
  await writeScene(store, {
    now: NOW,
    moves: makeMoves(ID, NOW - 20_000, 1),
    runs: () => 7,
    rollout: makeUpdate({
      phase: 'RolledBack',
      step: 0,
      startedAt: NOW - 20_000,
      endedAt: NOW,
      steps: [
        { ...update.steps[0], state: 'failed', startedAt: NOW - 20_000, endedAt: NOW - 9_000 } as never,
        ...update.steps.slice(1),
      ],
      failure: {
        kind: 'broken',
        node: 'edge-00',
        nodes: ['edge-00'],
        count: 1,
        text,
        at: NOW - 9_000,
        step: 0,
        baking: false,
      },
      back: { touched: 1, confirmed: 1, startedAt: NOW - 9_000, tookMs: 900, missing: [] },
    }),
  });
  const { body } = await call('GET', `/v1/rollouts/${ID}`);
  assert.deepEqual(pick(body.steps[0].nodes, 'state', 'nodes'), [['Degraded', ['edge-00']]]);
  assert.ok(body.steps[0].nodes[0].text.startsWith(text));
  assert.equal(
    body.outcome,
    'RolledBack in 0.9 s: edge-00 is back on revision 7 (confirmed). 19 nodes never touched',
  );
  const history = await call('GET', '/v1/plugins/default/auth/rollouts');
  assert.equal(history.body.items[0].cause, '5xx on edge-00');
});

test('B5: after our restart the soak stands still until the moved nodes are back, and the answer says so', async t => {
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

test('A3: a rollout on one node bakes, then succeeds in one sentence', async t => {
  const { call, store } = await start(t);
  const step = makeStep(1, {
    asked: { percent: 100 },
    soakMs: 0,
    state: 'passed',
    startedAt: NOW - 38_000,
    endedAt: NOW - 37_200,
    appliedMs: 800,
  });
  const baking = makeRollout({
    id: ID,
    number: 3,
    kind: 'install',
    from: makeSide(null),
    to: makeSide(8),
    phase: 'Baking',
    stage: 'Baking',
    timer: { leftMs: 40_000, at: NOW - 1_000 },
    steps: [step],
    startedAt: NOW - 38_000,
    gates: [
      {
        name: 'refusal',
        kind: 'refusal',
        verdict: 'pass',
        text: '0',
        moved: null,
        others: null,
        failures: 0,
        errors: 0,
        hard: true,
        dryRun: false,
        at: NOW,
      },
      {
        name: '5xx',
        kind: '5xx',
        verdict: 'few',
        text: '0 % of 3 requests: too few to judge, not held against it',
        moved: { value: 0, requests: 3 },
        others: null,
        maxIncrease: 2,
        failures: 0,
        errors: 0,
        hard: false,
        dryRun: false,
        at: null,
      },
    ],
  });
  const moves = { ...makeMoves(ID, NOW - 1_700, 1), order: [['edge-00']] };
  await writeScene(store, {
    now: NOW,
    rollout: baking,
    moves,
    assignment: { base: makeSide(null), moved: [{ ...moved, nodes: 'everyone' }] },
  });
  const { body } = await call('GET', `/v1/rollouts/${ID}`);
  assert.deepEqual(
    [body.title, body.bake],
    ['– → revision 8', { state: 'active', totalMs: 60_000, elapsedMs: 21_000 }],
  );
  assert.equal(body.plan, 'preset fast (default below 10 nodes): 1 node, then 1 min bake');
  assert.deepEqual(pick(body.steps, 'word', 'text'), [['done', '0.8 s']]);
  assert.deepEqual(pick(body.gates, 'name', 'state', 'limit'), [
    ['refusals', 'pass', null],
    ['5xx', 'few', 'at most 2 points above the others'],
  ]);
  await putRollout(store, {
    ...baking,
    phase: 'Succeeded',
    stage: null,
    timer: null,
    startedAt: NOW - 62_000,
    endedAt: NOW,
  });
  await store.put('Assignment', PLUGIN, makeAssignment({ base: makeSide(8) }));
  const ended = (await call('GET', `/v1/rollouts/${ID}`)).body;
  assert.equal(ended.outcome, 'Succeeded in 1m 2s: 1 of 1 node runs revision 8');
  assert.deepEqual([ended.bake.state, ended.expectedMs], ['passed', null]);
});

test('nodes that take no part are named with their reason', async t => {
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

test('X1: no answer about rollouts holds a word that is only ours', async t => {
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
