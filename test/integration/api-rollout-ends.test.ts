import assert from 'node:assert/strict';
import { test } from 'node:test';
import { revisionKey } from '../../src/store/record-kinds.ts';
import {
  makeMoves,
  makeRevision,
  makeStep,
  makeUpdate,
  putRollout,
  writeScene,
} from '../api/rollout-records.ts';
import { ID, makeRefusedRollout, moved, pick, start } from '../api/rollout-scene.ts';
import { makeAssignment, makeRollout, makeSide, NOW, PLUGIN } from '../model/records.ts';

test('C-B1: one answer says what, why, which nodes, where the cause is, and what to type', async t => {
  const { call, store } = await start(t);
  await writeScene(store, {
    now: NOW,
    rollout: makeRefusedRollout(),
    moves: makeMoves(ID, NOW - 10_000, 1, 4),
    runs: () => 7,
  });
  const refused = makeRevision(8, { env: [{ name: 'TOKEN_FILE', valueFrom: 'HOST' }] });
  const unknowable = ['env TOKEN_FILE comes from the host (vmConfig.env valueFrom HOST)'];
  const trial = { outcome: 'ok', tookMs: 4, unknowable } as const;
  await store.put('Revision', revisionKey(PLUGIN, 8), { ...refused, module: { ...refused.module, trial } });
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
  assert.equal(
    body.cause[1],
    `what the trial run said: ok, but it could not know these: ${trial.unknowable[0]}`,
  );
  assert.deepEqual(body.next, [
    { command: null, text: 'fix and apply' },
    { command: 'attache rollout retry auth', text: 'to try it again' },
  ]);
  assert.deepEqual(body.actions, ['retry', 'undo']);
});

test('C-B3: a node that answers 5xx is shown with both rates, and back with its confirmation', async t => {
  const { call, store } = await start(t);
  const text = 'answered 5xx to 398 of 398 requests in 10 s; 19 others: 0.2 % of 121,940';
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
  assert.equal(body.steps[0].nodes[0].text, `accepted, then ${text}; back on 7 (1 of 1 confirmed, 0.9 s)`);
  assert.equal(
    body.outcome,
    'RolledBack in 0.9 s: edge-00 is back on revision 7 (confirmed). 19 nodes never touched',
  );
  const history = await call('GET', '/v1/plugins/default/auth/rollouts');
  assert.equal(history.body.items[0].cause, '5xx on edge-00');
  assert.deepEqual(body.next[1], {
    command: `attache bundle rollout ${ID} > ${ID}.json`,
    text: 'for the authors of the plugin',
  });
});

test('C-A3: a rollout on one node bakes, then succeeds in one sentence', async t => {
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
        name: 'refusals',
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
    why: '1 of 1 node runs revision 8',
  });
  await store.put('Assignment', PLUGIN, makeAssignment({ base: makeSide(8) }));
  const ended = (await call('GET', `/v1/rollouts/${ID}`)).body;
  assert.deepEqual([ended.outcome, ended.why], ['Succeeded in 1m 2s: 1 of 1 node runs revision 8', null]);
  assert.deepEqual([ended.bake.state, ended.expectedMs], ['passed', null]);
});

test('each end has its sentence', async t => {
  const { call, store } = await start(t);
  await writeScene(store, { now: NOW, rollout: makeUpdate(), runs: () => 7 });
  const ended = { startedAt: NOW - 60_000, endedAt: NOW, step: -1 };
  const outcomeOf = async (over: Parameters<typeof makeUpdate>[0]) => {
    await putRollout(store, makeUpdate({ ...ended, ...over }));
    const { outcome, why } = (await call('GET', `/v1/rollouts/${ID}`)).body;
    return [outcome, why];
  };
  assert.deepEqual(await outcomeOf({ phase: 'Succeeded', reason: 'NoNodes', why: 'live at once' }), [
    'Succeeded: live at once',
    null,
  ]);
  assert.deepEqual(await outcomeOf({ phase: 'Reverted', why: 'undone by admin with default.auth.4' }), [
    'Reverted: it had succeeded, and was undone by admin with default.auth.4',
    null,
  ]);
  assert.deepEqual(await outcomeOf({ phase: 'NotStarted', why: 'no such tag', to: null, steps: [] }), [
    'NotStarted: no node was touched; revision 7 stays',
    'no such tag',
  ]);
  assert.deepEqual(await outcomeOf({ phase: 'Aborted', why: 'aborted by admin' }), [
    'Aborted after 1m 0s: no node was touched; revision 7 stays',
    'aborted by admin',
  ]);
  await putRollout(store, makeUpdate({ id: 'default.auth.4', number: 4 }));
  assert.deepEqual(await outcomeOf({ phase: 'Superseded', why: 'a newer one took over' }), [
    'Superseded after 1m 0s by default.auth.4',
    null,
  ]);
  const next = (await call('GET', '/v1/rollouts/default.auth.latest')).body;
  assert.deepEqual(next.notes, [`it took over from ${ID}`]);
  const [history] = (await call('GET', '/v1/plugins/default/auth/rollouts')).body.items;
  assert.deepEqual([history.rollout, history.result], ['default.auth.4', 'Progressing']);
});

test('while it goes back, each node that has not confirmed is missing from the count', async t => {
  const { call, store } = await start(t);
  const refused = makeRefusedRollout();
  const back = { touched: 4, confirmed: 3, startedAt: NOW - 8_800, missing: ['edge-02'] };
  const { endedAt: _endedAt, ...open } = refused;
  const scene = { now: NOW, moves: makeMoves(ID, NOW - 10_000, 1, 4) };
  await writeScene(store, {
    ...scene,
    rollout: { ...open, phase: 'RollingBack', stage: 'Returning', back, timer: { leftMs: 600_000, at: NOW } },
    runs: id => (id === 'edge-02' ? 8 : 7),
  });
  const { body } = await call('GET', `/v1/rollouts/${ID}`);
  assert.deepEqual([body.active, body.timer.what, body.outcome], [true, 'return', null]);
  assert.equal(body.back.text, '3 of 4 nodes are back on revision 7 (confirmed). 16 nodes never touched');
  assert.equal(body.steps[1].nodes[0].text, 'revision 8, back on 7 (0 of 1 confirmed)');
  await putRollout(store, { ...refused, phase: 'RollbackIncomplete', back });
  const ended = (await call('GET', `/v1/rollouts/${ID}`)).body;
  assert.match(ended.outcome, /^RollbackIncomplete: 3 of 4 nodes .* it goes on trying$/);
  assert.equal(ended.next[0].command, 'attache describe node edge-02');
});
