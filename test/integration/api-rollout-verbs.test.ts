import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Rollout, RolloutPhase } from '../../src/model/rollout.ts';
import type { RolloutIntent } from '../../src/model/rollout-intent.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { quarantineKey, revisionKey } from '../../src/store/record-kinds.ts';
import { startApi } from '../api/api-client.ts';
import {
  makeMoves,
  makeRevision,
  makeUpdate,
  NODES,
  playRolloutStage,
  putRollout,
  type SceneParts,
  writeScene,
} from '../api/rollout-records.ts';
import { makeAssignment, makeRollout, makeSide, PLUGIN } from '../model/records.ts';

const ID = 'default.auth.3';
const NOW = Date.now();
const moved = { rollout: ID, side: makeSide(8), nodes: NODES.slice(0, 4), since: NOW };

/** The API over a store with one rollout, and a rollout stage that does with an intent what the test says. */
async function start(
  t: TestContext,
  scene: Partial<SceneParts> & { readonly rollout: Rollout },
  take: (intent: RolloutIntent) => readonly Rollout[] = () => [],
  takeInMs = 5_000,
) {
  const store = createMemoryStore();
  await writeScene(store, { now: NOW, moves: makeMoves(ID, NOW, 1, 4), ...scene });
  const ended = new AbortController();
  const playing = playRolloutStage(store, ended.signal, take);
  const api = await startApi(store, { takeInMs });
  t.after(async () => {
    await api.stop();
    ended.abort();
    await playing;
    await store.close();
  });
  const post = (path: string, body?: object) => api.call('POST', path, body);
  const readIntent = async () => (await store.get('RolloutIntent', PLUGIN))?.value;
  return { ...api, store, post, readIntent };
}

const active = { assignment: { moved: [moved] } };
const soaking = makeUpdate({ step: 1, stage: 'Soaking' });

test('pause stores who, what and why, and answers the rollout once the stage took it in', async t => {
  const { post, readIntent } = await start(t, { rollout: soaking, ...active }, ({ id }) => [
    { ...soaking, phase: 'Paused', reason: 'Person', intent: { id, outcome: 'done' } },
  ]);
  const { status, body } = await post(`/v1/rollouts/${ID}/pause`, { message: 'lunch' });
  assert.deepEqual([status, body.outcome, body.action], [200, 'done', 'pause']);
  assert.equal(body.text, `${ID} is paused at step 2 of 4`);
  assert.deepEqual([body.rollout.phase, body.rollout.waitsForPerson], ['Paused', true]);
  assert.deepEqual(body.rollout.next[0], { command: 'attache rollout resume auth', text: 'to go on' });
  const intent = await readIntent();
  assert.deepEqual(
    [intent?.id, intent?.action, intent?.rollout, intent?.by, intent?.message],
    [1, 'pause', ID, 'admin', 'lunch'],
  );
});

test('intents are numbered, and full and freeze go with them; a verb needs no body', async t => {
  const { post, readIntent } = await start(t, { rollout: soaking, ...active }, ({ id }) => [
    { ...soaking, intent: { id, outcome: 'done' } },
  ]);
  assert.equal((await post(`/v1/rollouts/${ID}/promote`)).status, 200);
  const full = await post('/v1/rollouts/default.auth.latest/promote', { full: true });
  assert.match(full.body.text, /20 nodes now, without steps and soaks/);
  assert.deepEqual([(await readIntent())?.id, (await readIntent())?.full], [2, true]);
  const aborted = await post(`/v1/rollouts/${ID}/abort`, { freeze: true });
  assert.match(aborted.body.text, /the nodes stay as they are \(4 of 20 have it\)/);
  assert.equal((await readIntent())?.freeze, true);
  assert.equal((await post(`/v1/rollouts/${ID}/pause`, { massage: 'x' })).status, 400);
});

test('what is not taken in in time is a 202 that says it is stored', async t => {
  const { post, readIntent } = await start(t, { rollout: soaking, ...active }, () => [], 200);
  const { status, body } = await post(`/v1/rollouts/${ID}/abort`);
  assert.deepEqual([status, body.outcome, body.rollout.phase], [202, 'accepted', 'Progressing']);
  assert.equal((await readIntent())?.action, 'abort');
});

test('an action that the phase does not allow is a 409 with the phase and what is allowed', async t => {
  const phases: readonly [string, RolloutPhase, RegExp][] = [
    ['resume', 'Progressing', /pause, promote, abort, undo/],
    ['pause', 'Paused', /resume, promote, abort, undo/],
    ['abort', 'RollingBack', /undo/],
    ['promote', 'Baking', /pause, abort, undo/],
    ['retry', 'Succeeded', /undo/],
    ['abort', 'RolledBack', /retry, undo/],
  ];
  for (const [action, phase, allowed] of phases) {
    const { post, store } = await start(t, { rollout: makeUpdate({ phase }) });
    const { status, body } = await post(`/v1/rollouts/${ID}/${action}`);
    assert.deepEqual([status, body.code], [409, 'illegal-action']);
    assert.ok(body.detail.includes(`${ID} is ${phase}`));
    assert.match(body.hint, allowed);
    assert.equal(await store.get('RolloutIntent', PLUGIN), undefined);
  }
});

test('verbs are for the newest rollout', async t => {
  const { post, store } = await start(t, { rollout: soaking, ...active });
  await store.put(
    'Rollout',
    `${PLUGIN}/0000000002`,
    makeRollout({ id: 'default.auth.2', number: 2, phase: 'RolledBack' }),
  );
  const { status, body } = await post('/v1/rollouts/default.auth.2/retry');
  assert.deepEqual([status, body.code], [409, 'illegal-action']);
  assert.ok(body.detail.includes(`${ID} came after it`));
  assert.equal((await post('/v1/rollouts/default.auth.8/retry')).status, 404);
});

test('retry of a rollout that never started looks at the module again', async t => {
  const next = makeUpdate({ id: 'default.auth.4', number: 4 });
  const { post, store } = await start(
    t,
    { rollout: makeUpdate({ phase: 'NotStarted', to: null, steps: [] }) },
    ({ id }) => [{ ...next, intent: { id, outcome: 'done' } }],
  );
  const before = (await store.get('PluginSpec', PLUGIN))?.revision ?? 0;
  const { body } = await post('/v1/rollouts/default.auth.latest/retry', { message: 'pushed it' });
  assert.deepEqual([body.outcome, body.rollout.id], ['done', 'default.auth.4']);
  assert.ok(((await store.get('PluginSpec', PLUGIN))?.revision ?? 0) > before);
});

/** Transcript A5: revision 8 succeeded, and was undone. */
const undone: Partial<SceneParts> & { readonly rollout: Rollout } = {
  rollout: makeUpdate({
    kind: 'undo',
    from: makeSide(8),
    to: makeSide(7),
    phase: 'Succeeded',
    note: 'old one',
  }),
  runs: () => 7,
};

async function quarantine(store: Awaited<ReturnType<typeof start>>['store']): Promise<void> {
  const { contentHash } = makeRevision(8, { priority: 8 });
  await store.put('Quarantine', quarantineKey(PLUGIN, contentHash), {
    plugin: PLUGIN,
    contentHash,
    revision: 8,
    rollout: 'default.auth.2',
    cause: 'undone',
    text: 'was undone by admin',
    by: 'admin',
    at: NOW,
  });
}

test('C-A7: what was undone can be tried again although the newest rollout is the undo', async t => {
  const next = makeUpdate({ id: 'default.auth.4', number: 4 });
  const { post, store, call, readIntent } = await start(t, undone, ({ id }) => [
    { ...next, intent: { id, outcome: 'done' } },
  ]);
  assert.equal((await post('/v1/rollouts/default.auth.latest/retry')).body.code, 'illegal-action');
  await quarantine(store);
  await putRollout(
    store,
    makeRollout({ id: 'default.auth.2', number: 2, to: makeSide(8), phase: 'Reverted' }),
  );
  const shown = (await call('GET', `/v1/rollouts/${ID}`)).body;
  assert.ok(shown.actions.includes('retry'));
  const { status, body } = await post('/v1/rollouts/default.auth.latest/retry');
  assert.deepEqual([status, body.rollout.id], [200, 'default.auth.4']);
  assert.equal((await readIntent())?.rollout, 'default.auth.2');
});

test('a verb that comes too late is a 409 with the phase by then', async t => {
  const { post } = await start(t, { rollout: soaking, ...active }, ({ id }) => [
    { ...soaking, phase: 'RollingBack', intent: { id, outcome: 'too-late' } },
  ]);
  const { status, body } = await post(`/v1/rollouts/${ID}/pause`);
  assert.deepEqual([status, body.code], [409, 'illegal-action']);
  assert.match(body.detail, /is RollingBack/);
});

test('undo of what goes back already says so', async t => {
  const rollout = makeUpdate({ phase: 'RollingBack' });
  const { post } = await start(t, { rollout, ...active }, ({ id }) => [
    { ...rollout, intent: { id, outcome: 'already-back' } },
  ]);
  const { status, body } = await post('/v1/plugins/default/auth/undo');
  assert.deepEqual([status, body.outcome], [200, 'already-back']);
});

test('an undo that failed can be asked for again', async t => {
  const failed = makeUpdate({ kind: 'undo', from: makeSide(8), to: makeSide(7), phase: 'RolledBack' });
  const { post } = await start(t, { rollout: failed, assignment: { base: makeSide(8) } }, ({ id }) => [
    { ...failed, id: 'default.auth.4', number: 4, phase: 'Progressing', intent: { id, outcome: 'done' } },
  ]);
  const { body } = await post('/v1/plugins/default/auth/undo');
  assert.deepEqual([body.outcome, body.rollout.id], ['done', 'default.auth.4']);
});

test('undo of what is active is an abort', async t => {
  const back = { touched: 4, confirmed: 0, startedAt: NOW, missing: [] };
  const { post, readIntent } = await start(t, { rollout: soaking, ...active }, ({ id }) => [
    { ...soaking, phase: 'RollingBack', stage: 'Returning', back, intent: { id, outcome: 'done' } },
  ]);
  const { status, body } = await post('/v1/plugins/default/auth/undo', { message: 'no' });
  assert.deepEqual([status, body.outcome], [200, 'done']);
  assert.equal(body.text, `${ID} goes back to revision 7 on 4 nodes, at once`);
  const intent = await readIntent();
  assert.deepEqual([intent?.action, intent?.rollout, intent?.message], ['undo', ID, 'no']);
});

test('undo of what is active leads to where it began, and nowhere else', async t => {
  const { post, store, readIntent } = await start(t, { rollout: soaking, ...active }, ({ id }) => [
    { ...soaking, phase: 'RollingBack', stage: 'Returning', intent: { id, outcome: 'done' } },
  ]);
  await store.put('Revision', revisionKey(PLUGIN, 5), makeRevision(5));
  const { status, body } = await post('/v1/plugins/default/auth/undo', { to: 5 });
  assert.deepEqual([status, body.code], [409, 'illegal-action']);
  assert.equal(body.detail, `${ID} is Progressing: an undo takes it back to revision 7, not to revision 5`);
  assert.equal(await readIntent(), undefined);
});

test('undo of what succeeded answers the rollout that takes it back', async t => {
  const { strategy } = makeUpdate();
  const undo = makeUpdate({
    strategy: { ...strategy, preset: 'all-at-once', bakeMs: 0 },
    id: 'default.auth.4',
    number: 4,
    kind: 'undo',
    from: makeSide(8),
    to: makeSide(7),
    steps: [],
  });
  const { post, readIntent } = await start(
    t,
    { rollout: makeUpdate({ phase: 'Succeeded' }), assignment: { base: makeSide(8) } },
    ({ id }) => [{ ...undo, intent: { id, outcome: 'done' } }],
  );
  const { body } = await post('/v1/plugins/default/auth/undo');
  assert.deepEqual([body.outcome, body.rollout.id], ['done', 'default.auth.4']);
  assert.match(body.text, /revision 8 → 7 on 20 nodes, at once .*no registry needed/);
  assert.equal((await readIntent())?.rollout, null);
});

test('undo to a revision: one that runs already changes nothing, one that is not kept is a 404', async t => {
  const { post, readIntent } = await start(
    t,
    { rollout: makeUpdate({ phase: 'Succeeded' }), assignment: { base: makeSide(8) } },
    ({ id }) => [{ ...makeUpdate({ id: 'default.auth.4', number: 4 }), intent: { id, outcome: 'done' } }],
  );
  const same = await post('/v1/plugins/default/auth/undo', { to: 8 });
  assert.deepEqual([same.status, same.body.outcome], [200, 'already-back']);
  const none = await post('/v1/plugins/default/auth/undo', { to: 99 });
  assert.deepEqual([none.status, none.body.code], [404, 'not-found']);
  assert.equal(await readIntent(), undefined);
  await post('/v1/plugins/default/auth/undo', { to: 7 });
  assert.equal((await readIntent())?.to, 7);
});

test('undo where it is back already says so and does nothing', async t => {
  const phases: readonly RolloutPhase[] = ['RolledBack', 'Aborted', 'NotStarted', 'RollbackIncomplete'];
  for (const phase of phases) {
    const { post, readIntent } = await start(t, { rollout: makeUpdate({ phase }), runs: () => 7 });
    const { status, body } = await post('/v1/plugins/default/auth/undo');
    assert.deepEqual([status, body.outcome], [200, 'already-back']);
    assert.equal(
      body.text,
      `default/auth: ${ID} is ${phase}, and the nodes run revision 7 already; nothing to undo`,
    );
    assert.equal(await readIntent(), undefined);
  }
  const { post } = await start(t, undone);
  assert.match((await post('/v1/plugins/default/auth/undo')).body.text, /was undone already/);
  assert.equal((await post('/v1/plugins/default/none/undo')).status, 404);
});

test('undo after an abort that left nodes as they are takes them back', async t => {
  const stopped = makeUpdate({ phase: 'Aborted', step: 1 });
  const { post } = await start(t, { rollout: stopped, ...active }, ({ id }) => [
    { ...stopped, intent: { id, outcome: 'done' } },
  ]);
  assert.equal((await post('/v1/plugins/default/auth/undo')).body.outcome, 'done');
});

test('undo and abort of a delete bring the document back in the same write', async t => {
  const deleted = { at: NOW, by: 'admin', now: false };
  const removal = makeUpdate({ kind: 'delete', to: makeSide(null) });
  for (const [phase, path] of [
    ['Progressing', `/v1/rollouts/${ID}/abort`],
    ['Succeeded', '/v1/plugins/default/auth/undo'],
  ] as const) {
    const rollout: Rollout = { ...removal, phase };
    const { post, store, call } = await start(t, { rollout, spec: { deleted }, ...active }, ({ id }) => [
      { ...rollout, phase: 'RollingBack', intent: { id, outcome: 'done' } },
    ]);
    assert.equal((await post(path)).status, 200);
    const spec = await store.get('PluginSpec', PLUGIN);
    assert.equal(spec?.value.deleted, undefined);
    assert.equal(spec?.revision, (await store.get('RolloutIntent', PLUGIN))?.revision);
    assert.equal((await call('GET', '/v1/plugins/default/auth')).body.status.deleted, null);
  }
});

test('retry of a delete that was stopped deletes again', async t => {
  const rollout = makeUpdate({ kind: 'delete', to: makeSide(null), phase: 'Aborted' });
  const { post, store } = await start(t, { rollout, runs: () => 7 }, ({ id }) => [
    { ...rollout, id: 'default.auth.4', number: 4, phase: 'Progressing', intent: { id, outcome: 'done' } },
  ]);
  assert.equal((await post(`/v1/rollouts/${ID}/retry`, { message: 'now really' })).status, 200);
  assert.equal((await store.get('PluginSpec', PLUGIN))?.value.deleted?.message, 'now really');
});

test('nothing was rolled out yet: undo says so', async t => {
  const { post, store } = await start(t, { rollout: soaking });
  await store.delete('Rollout', `${PLUGIN}/0000000003`);
  const { status, body } = await post('/v1/plugins/default/auth/undo');
  assert.deepEqual([status, body.outcome, body.rollout], [200, 'already-back', null]);
  await store.put('Assignment', PLUGIN, makeAssignment({ base: makeSide(null) }));
});
