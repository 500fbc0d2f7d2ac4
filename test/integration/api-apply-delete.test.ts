import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { parsePluginDocument } from '../../src/model/plugin-document.ts';
import type { PluginSpec } from '../../src/model/plugin-spec.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { quarantineKey, revisionKey, rolloutKey } from '../../src/store/record-kinds.ts';
import { startApi, systemClock } from '../api/api-client.ts';
import { makeRevision, makeUpdate, NODES, putRollout, writeScene } from '../api/rollout-records.ts';
import { makeAssignment, makePresence, makeRollout, makeSide, makeSpec, PLUGIN } from '../model/records.ts';

const PATH = '/v1/plugins/default/auth';
const NOW = Date.now();
const HOUR = 3_600_000;
const document = {
  apiVersion: 'extensions.istio.io/v1alpha1',
  kind: 'WasmPlugin',
  metadata: { name: 'auth' },
  spec: { url: 'oci://r/auth:1', priority: 8 },
};
const stored = parsePluginDocument(document) as PluginSpec;

async function start(t: TestContext, takeInMs = 5_000) {
  const store = createMemoryStore();
  let now = NOW;
  const api = await startApi(store, { takeInMs, clock: { ...systemClock, now: () => now } });
  t.after(async () => {
    await api.stop();
    await store.close();
  });
  const at = (time: number): void => {
    now = time;
  };
  return { ...api, store, at };
}

async function holdBack(
  store: Awaited<ReturnType<typeof start>>['store'],
  cause: 'refused' | 'undone',
): Promise<void> {
  const { contentHash } = makeRevision(8, { priority: 8 });
  await store.put('Quarantine', quarantineKey(PLUGIN, contentHash), {
    plugin: PLUGIN,
    contentHash,
    revision: 8,
    rollout: 'default.auth.3',
    cause,
    text: cause === 'refused' ? 'was refused by edge-01 and 2 more' : 'was undone by admin',
    at: NOW - 60_000,
  });
}

test('C-B2: the very content that was refused is held back: nothing is stored, and the answer says what lifts it', async t => {
  const { call, store } = await start(t);
  await writeScene(store, {
    now: NOW,
    spec: stored,
    rollout: makeUpdate({ phase: 'RolledBack' }),
    runs: () => 7,
  });
  await holdBack(store, 'refused');
  const before = await store.get('PluginSpec', PLUGIN);
  const { status, body } = await call('PUT', `${PATH}?message=again`, document);
  assert.deepEqual([status, body.result], [200, 'held-back']);
  const { heldBack } = body.status;
  const time = new Date(NOW - 60_000).toISOString();
  assert.match(
    heldBack.text,
    new RegExp(
      `^default/auth: revision 8 \\(module 888888888888, config [0-9a-f]{6}\\) was refused by edge-01 and 2 more at ${time} and is held back; 20 nodes run revision 7$`,
    ),
  );
  assert.deepEqual(heldBack.next, [{ command: 'attache rollout retry auth', text: 'to try it again' }]);
  assert.equal((await store.get('PluginSpec', PLUGIN))?.revision, before?.revision);
  assert.equal(body.spec.priority, 7);
  const shown = (await call('GET', PATH)).body;
  assert.deepEqual(shown.status.heldBack, heldBack);
  assert.deepEqual([shown.status.desiredRevision, shown.spec.priority], [7, 7]);
  const [event] = (await call('GET', '/v1/events?plugin=default/auth')).body.items;
  assert.deepEqual(
    [event.type, event.message],
    ['plugin.held-back', 'default/auth applied again, and held back: again'],
  );
});

test('a patch of what is held back keeps how the module is fetched and who has to have signed it', async t => {
  const { call, store } = await start(t);
  const pull = {
    imagePullPolicy: 'IfNotPresent',
    imagePullSecret: 'registry',
    verificationKey: 'platform',
    sha256: 'f'.repeat(64),
  };
  const spec = parsePluginDocument({ ...document, spec: { ...document.spec, ...pull } }) as PluginSpec;
  const good = makeRevision(7, { priority: 7 });
  await writeScene(store, { now: NOW, spec, rollout: makeUpdate({ phase: 'RolledBack' }), runs: () => 7 });
  const referenceDigest = `sha256:${'7'.repeat(64)}`;
  await store.put('Revision', revisionKey(PLUGIN, 7), {
    ...good,
    module: { ...good.module, url: 'oci://r/auth:1', referenceDigest },
  });
  await holdBack(store, 'refused');
  // Pinned is what the nodes run, not what was refused.
  const kept = { ...pull, sha256: '7'.repeat(64) };
  const pick = (of: Record<string, unknown>) =>
    Object.fromEntries(Object.keys(kept).map(key => [key, of[key]]));
  assert.deepEqual(pick((await call('GET', PATH)).body.spec), kept);
  assert.equal(
    (await call('PATCH', PATH, { spec: { pluginConfig: { realm: 'b' } } })).body.result,
    'configured',
  );
  const after = (await store.get('PluginSpec', PLUGIN))?.value;
  assert.deepEqual(pick({ ...after }), kept);
  assert.deepEqual(after?.pluginConfig, { realm: 'b' });
});

test('C-A7: what was undone is held back with who undid it and why', async t => {
  const { call, store } = await start(t);
  const undo = makeUpdate({
    kind: 'undo',
    from: makeSide(8),
    to: makeSide(7),
    phase: 'Succeeded',
    note: 'liked the old one',
  });
  await writeScene(store, { now: NOW, spec: stored, rollout: undo, runs: () => 7 });
  await holdBack(store, 'undone');
  const { body } = await call('PUT', PATH, document);
  assert.equal(body.result, 'held-back');
  assert.match(
    body.status.heldBack.text,
    /was undone by admin at .* \("liked the old one"\) and is held back/,
  );
  assert.equal(body.status.heldBack.next[0].text, 'to roll it out again');
});

test('a document that asks for its tag anew is resolved again, held back or not', async t => {
  const { call, store } = await start(t);
  const always = { ...document, spec: { ...document.spec, imagePullPolicy: 'Always' } };
  await writeScene(store, {
    now: NOW,
    spec: parsePluginDocument(always) as PluginSpec,
    rollout: makeUpdate({ phase: 'RolledBack' }),
    runs: () => 7,
  });
  await holdBack(store, 'refused');
  const before = await store.get('PluginSpec', PLUGIN);
  assert.equal((await call('PUT', PATH, always)).body.result, 'unchanged');
  assert.notEqual((await store.get('PluginSpec', PLUGIN))?.revision, before?.revision);
});

test('preset, message and who are kept with the document, and are no change by themselves', async t => {
  const { call, store } = await start(t);
  await call('PUT', `${PATH}?preset=all-at-once&message=now`, document);
  const spec = (await store.get('PluginSpec', PLUGIN))?.value;
  assert.deepEqual([spec?.preset, spec?.message, spec?.by], ['all-at-once', 'now', 'admin']);
  assert.equal((await call('PUT', `${PATH}?preset=fast`, document)).body.result, 'unchanged');
  assert.equal((await store.get('PluginSpec', PLUGIN))?.value.preset, 'all-at-once');
  const next = { ...document, spec: { ...document.spec, priority: 9 } };
  await call('PUT', PATH, next);
  assert.equal((await store.get('PluginSpec', PLUGIN))?.value.preset, undefined);
  assert.equal((await call('PUT', `${PATH}?preset=quick`, document)).body.code, 'bad-query');
});

test('two plugins of one phase and priority are told apart by a warning', async t => {
  const { call, store } = await start(t);
  await store.put('NodePresence', 'edge-1', makePresence());
  await call('PUT', PATH, document);
  const other = { ...document, metadata: { name: 'limit' } };
  const { body } = await call('PUT', '/v1/plugins/default/limit', other);
  assert.match(body.warnings.join(), /default\/auth and default\/limit have the same place/);
  const apart = { ...other, spec: { ...other.spec, priority: 1 } };
  assert.deepEqual((await call('PUT', '/v1/plugins/default/limit', apart)).body.warnings, []);
});

test('a plugin that never came to a node is removed at once', async t => {
  const { call, store } = await start(t);
  assert.equal((await call('DELETE', PATH)).status, 404);
  await call('PUT', PATH, document);
  const { status, body } = await call('DELETE', PATH);
  assert.deepEqual([status, body.nodes, body.rollout], [200, 0, null]);
  assert.equal(await store.get('PluginSpec', PLUGIN), undefined);
});

test('a plugin that went back to none leaves at once, and its history stays', async t => {
  const { call, store } = await start(t);
  const install = makeUpdate({ from: makeSide(null), phase: 'RolledBack' });
  await writeScene(store, { now: NOW, rollout: install, assignment: { base: makeSide(null) } });
  for (const { key } of (await store.list('NodeVerdict')).records) await store.delete('NodeVerdict', key);
  const { status, body } = await call('DELETE', PATH);
  assert.deepEqual([status, body.rollout], [200, null]);
  assert.notEqual((await store.get('PluginSpec', PLUGIN))?.value.deleted, undefined);
  assert.equal((await call('GET', PATH)).status, 404);
  assert.equal((await call('GET', `${PATH}/rollouts`)).body.items.length, 1);
});

test('C-A8: DELETE answers with the rollout that takes the plugin off its nodes', async t => {
  const { call, store } = await start(t);
  await writeScene(store, { now: NOW, rollout: makeUpdate({ phase: 'Succeeded' }), runs: () => 7 });
  const deleting = call('DELETE', `${PATH}?message=bye`);
  for await (const [change] of store.watch(['PluginSpec'], AbortSignal.timeout(5_000)))
    if (change?.kind === 'PluginSpec' && change.stored?.value.deleted !== undefined) {
      const { revision, value } = change.stored;
      assert.deepEqual(value.deleted, { at: NOW, by: 'admin', now: false, message: 'bye' });
      const removal = makeUpdate({ id: 'default.auth.4', number: 4, kind: 'delete', to: makeSide(null) });
      await putRollout(store, { ...removal, from: makeSide(7), specRevision: revision });
      break;
    }
  const { status, body } = await deleting;
  assert.deepEqual([status, body.nodes, body.rollout], [202, 20, 'default.auth.4']);
  assert.equal(
    body.text,
    'plugin default/auth: removing from 20 nodes, preset fast (default below 10 nodes): 1, 4, 10, 20 nodes; about 3 min with the bake',
  );
  const shown = (await call('GET', PATH)).body;
  assert.deepEqual([shown.status.deleted.by, shown.status.deleted.message], ['admin', 'bye']);
  const rollout = (await call('GET', '/v1/rollouts/default.auth.latest')).body;
  assert.deepEqual([rollout.change, rollout.title], ['delete', '7 → none']);
  const [event] = (await call('GET', '/v1/events?plugin=default/auth')).body.items;
  assert.deepEqual([event.type, event.message], ['plugin.deleted', 'default/auth deleted by admin: bye']);
});

test('deleting again changes nothing, and ?now=true hurries', async t => {
  const { call, store } = await start(t, 100);
  const deleted = { at: NOW - 1_000, by: 'admin', now: false };
  const revision = await writeScene(store, {
    now: NOW,
    spec: { deleted },
    rollout: makeUpdate(),
    runs: () => 7,
  });
  assert.equal((await call('DELETE', PATH)).status, 202);
  assert.equal((await store.get('PluginSpec', PLUGIN))?.revision, revision);
  const { status, body } = await call('DELETE', `${PATH}?now=true`);
  assert.deepEqual([status, body.rollout], [202, null]);
  assert.equal((await store.get('PluginSpec', PLUGIN))?.value.deleted?.now, true);
});

/** Deleted, and on no node any more. */
async function writeGone(store: Awaited<ReturnType<typeof start>>['store'], at: number): Promise<void> {
  await store.put('PluginSpec', PLUGIN, {
    ...makeSpec(stored),
    createdAt: 5,
    deleted: { at, by: 'admin', now: false },
  });
  await store.put('Assignment', PLUGIN, makeAssignment({ base: makeSide(null) }));
  const rollout = makeRollout({ kind: 'delete', from: makeSide(7), to: makeSide(null) });
  await store.put('Rollout', rolloutKey(PLUGIN, 1), rollout);
  await store.put('RolloutIntent', PLUGIN, {
    id: 1,
    plugin: PLUGIN,
    rollout: null,
    action: 'undo',
    by: 'admin',
    at,
  });
}

test('a deleted plugin is gone for everybody once its nodes are rid of it; its history stays', async t => {
  const { call, store } = await start(t);
  await writeGone(store, NOW - HOUR);
  await store.put('NodePresence', 'edge-1', makePresence());
  assert.equal((await call('GET', PATH)).status, 404);
  assert.equal((await call('DELETE', PATH)).status, 404);
  assert.deepEqual((await call('GET', '/v1/plugins')).body.items, []);
  assert.deepEqual((await call('GET', '/v1/nodes/edge-1')).body.status.plugins, []);
  assert.equal((await call('GET', `${PATH}/rollouts`)).body.items.length, 1);
  assert.equal((await call('PUT', PATH, document, { 'if-match': '*' })).status, 412);
  const created = await call('PUT', PATH, document, { 'if-none-match': '*' });
  assert.deepEqual([created.status, created.body.result], [201, 'created']);
  const spec = (await store.get('PluginSpec', PLUGIN))?.value;
  assert.deepEqual([spec?.deleted, spec?.createdAt], [undefined, NOW]);
});

test('a PUT while it leaves brings the same plugin back', async t => {
  const { call, store } = await start(t);
  const deleted = { at: NOW - 1_000, by: 'admin', now: false };
  await writeScene(store, {
    now: NOW,
    spec: { ...stored, deleted },
    rollout: makeUpdate({ kind: 'delete', to: makeSide(null) }),
    runs: () => 7,
  });
  const { status, body } = await call('PUT', PATH, document);
  assert.deepEqual([status, body.result, body.status.deleted], [200, 'configured', null]);
  assert.equal((await store.get('PluginSpec', PLUGIN))?.value.createdAt, 1);
});

test('deleted plugins are purged after 72 hours, once no node has them', async t => {
  const store = createMemoryStore();
  t.after(() => store.close());
  let now = NOW;
  const due: (() => void)[] = [];
  const clock = {
    now: () => now,
    after: (_delay: number, callback: () => void) => {
      due.push(callback);
      return () => {};
    },
  };
  await writeGone(store, NOW - 71 * HOUR);
  await store.put('NodePolicy', 'old', {
    node: 'old',
    forget: { by: 'admin', message: null, at: NOW - 73 * HOUR },
  });
  const excluded = { by: 'admin', message: null, at: 1 };
  await store.put('NodePolicy', NODES[0] ?? '', { node: NODES[0] ?? '', excluded });
  const { stop, call } = await startApi(store, { clock });
  await call('PUT', '/v1/plugins/default/other', { ...document, metadata: { name: 'other' } });
  assert.notEqual(await store.get('PluginSpec', PLUGIN), undefined);
  now = NOW + HOUR;
  for (const callback of due.splice(0)) callback();
  for await (const _changes of store.watch(['PluginSpec'], AbortSignal.timeout(5_000)))
    if ((await store.get('PluginSpec', PLUGIN)) === undefined) break;
  assert.equal(await store.get('RolloutIntent', PLUGIN), undefined);
  assert.deepEqual(
    (await store.list('NodePolicy')).records.map(record => record.key),
    [NODES[0]],
  );
  assert.notEqual(await store.get('PluginSpec', 'default/other'), undefined);
  await stop();
});
