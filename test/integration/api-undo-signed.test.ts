/** Going back, where signatures are required. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { ModuleSignature } from '../../src/model/module-signature.ts';
import type { Rollout } from '../../src/model/rollout.ts';
import type { RolloutIntent } from '../../src/model/rollout-intent.ts';
import { findDemands, type SignaturePolicy } from '../../src/model/signature-policy.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { revisionKey } from '../../src/store/record-kinds.ts';
import { startApi } from '../api/api-client.ts';
import {
  makeMoves,
  makeRevision,
  makeUpdate,
  NODES,
  playRolloutStage,
  type SceneParts,
  writeScene,
} from '../api/rollout-records.ts';
import { makeSide, PLUGIN } from '../model/records.ts';
import { makeSigner } from '../module/signature/signing.ts';

const ID = 'default.auth.3';
const NOW = Date.now();
const UNDO = '/v1/plugins/default/auth/undo';
const REQUIRED: SignaturePolicy = {
  authorities: [],
  rules: [{ pattern: '**', mode: 'require', keys: [makeSigner().named] }],
};

/** The API over a store with one rollout, and a rollout stage that does with an intent what the test says. */
async function start(
  t: TestContext,
  scene: Partial<SceneParts> & { readonly rollout: Rollout },
  take: (intent: RolloutIntent) => readonly Rollout[] = () => [],
) {
  const store = createMemoryStore();
  await writeScene(store, { now: NOW, moves: makeMoves(ID, NOW, 1, 4), ...scene });
  const ended = new AbortController();
  const playing = playRolloutStage(store, ended.signal, take);
  const api = await startApi(store, { signatures: REQUIRED });
  t.after(async () => {
    await api.stop();
    ended.abort();
    await playing;
    await store.close();
  });
  return { store, post: (path: string, body?: object) => api.call('POST', path, body) };
}

test('undo is no way around a signature that is required: it is refused, and nothing is stored', async t => {
  const deleted = { at: NOW, by: 'admin', now: false };
  const update = { rollout: makeUpdate({ phase: 'Succeeded' }), assignment: { base: makeSide(8) } };
  const removal = {
    rollout: makeUpdate({ kind: 'delete', to: makeSide(null), phase: 'Succeeded' }),
    assignment: { base: makeSide(null) },
    spec: { deleted },
  };
  for (const scene of [update, removal]) {
    const { post, store } = await start(t, scene);
    for (const body of [undefined, { to: 7 }]) {
      const answer = await post(UNDO, body);
      assert.deepEqual([answer.status, answer.body.code], [409, 'signature-refused']);
      assert.match(answer.body.detail, /nothing was changed: revision 7 lacks a signature/);
    }
    assert.equal(await store.get('RolloutIntent', PLUGIN), undefined);
    const spec = await store.get('PluginSpec', PLUGIN);
    assert.deepEqual(spec?.value.deleted, 'spec' in scene ? deleted : undefined);
  }
});

test('what nodes run already they may keep: a rollout that was left where it was is taken back', async t => {
  const stopped = makeUpdate({ phase: 'Aborted', step: 1 });
  const moved = { rollout: ID, side: makeSide(8), nodes: NODES.slice(0, 4), since: NOW };
  const { post } = await start(t, { rollout: stopped, assignment: { moved: [moved] } }, ({ id }) => [
    { ...stopped, intent: { id, outcome: 'done' } },
  ]);
  assert.equal((await post(UNDO)).status, 200);
});

test('undo to a revision of an artifact whose signature was seen for another revision is let through', async t => {
  const asked = findDemands(REQUIRED, { url: 'oci://r/auth:1' });
  assert.ok(typeof asked !== 'string');
  const [own, other] = ['a', 'b'].map(digit => `sha256:${digit.repeat(64)}`) as [string, string];
  const record = (state: 'verified' | 'unsigned'): ModuleSignature => ({
    state,
    by: [],
    refused: state !== 'verified',
    policy: asked.hash,
    checkedAt: 1,
  });
  for (const [digest, status] of [
    [own, 200],
    [other, 409],
  ] as const) {
    const scene = { rollout: makeUpdate({ phase: 'Succeeded' }), assignment: { base: makeSide(8) } };
    const { post, store } = await start(t, scene, ({ id }) => [
      { ...makeUpdate({ id: 'default.auth.4', number: 4 }), intent: { id, outcome: 'done' } },
    ]);
    const put = (number: number, state: 'verified' | 'unsigned', manifestDigest: string) => {
      const revision = makeRevision(number);
      const found = { referenceDigest: own, manifestDigest, signature: record(state) };
      const module = { ...revision.module, ...found };
      return store.put('Revision', revisionKey(PLUGIN, number), { ...revision, module });
    };
    await put(7, 'unsigned', own);
    await put(8, 'verified', digest);
    assert.equal((await post(UNDO, { to: 7 })).status, status);
  }
});

test('retry of an undo is no way around it either', async t => {
  const failed = makeUpdate({ kind: 'undo', from: makeSide(8), to: makeSide(7), phase: 'RolledBack' });
  const { post } = await start(t, { rollout: failed, assignment: { base: makeSide(8) } });
  const { status, body } = await post(`/v1/rollouts/${ID}/retry`);
  assert.deepEqual([status, body.code], [409, 'signature-refused']);
});
