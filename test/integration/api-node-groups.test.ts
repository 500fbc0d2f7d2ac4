/** `/v1/nodegroups`, and what a group does to the plugins that name it. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { groupEqualNodes } from '../../src/api/equal-nodes.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { startApi } from '../api/api-client.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { makePresence } from '../model/records.ts';

const PATH = '/v1/nodegroups/default/edge';

const group = (spec: object, name = 'edge') => ({
  apiVersion: 'attache/v1',
  kind: 'NodeGroup',
  metadata: { name },
  spec,
});
const byLabel = (key: string, value: string) => group({ selector: { matchLabels: { [key]: value } } });
const plugin = (...names: readonly string[]) => ({
  apiVersion: 'attache/v1',
  kind: 'Plugin',
  metadata: { name: 'auth' },
  spec: {
    url: 'oci://r.example/auth:1',
    targetRefs: names.map(name => ({ kind: 'NodeGroup', name })),
  },
});

async function setUp(t: TestContext) {
  const store = createMemoryStore();
  for (const [id, zone] of [
    ['edge-1', 'a'],
    ['edge-2', 'b'],
  ] as const)
    await store.put('NodePresence', id, makePresence({}, { id, labels: { tier: 'edge', zone } }));
  const api = stopAfter(t, await startApi(store));
  const apply = () => api.call('PUT', '/v1/plugins/default/auth', plugin('edge'));
  const membersOf = async () =>
    (await store.get('PluginSpec', 'default/auth'))?.value.targetRefs?.[0]?.members ?? null;
  return { ...api, store, apply, membersOf };
}

test('a plugin may name a group that is not there yet: it is told so, and has its nodes when it comes', async t => {
  const { call, apply, membersOf } = await setUp(t);
  const applied = await apply();
  assert.equal(applied.status, 201);
  assert.match(applied.body.warnings.join('\n'), /node group default\/edge, and there is none/);
  assert.match(applied.body.warnings.join('\n'), /matches no node/);
  assert.equal(await membersOf(), null);
  const created = await call('PUT', PATH, byLabel('zone', 'a'));
  assert.deepEqual([created.status, created.body.result], [201, 'created']);
  assert.deepEqual(created.body.moves, ['default/auth']);
  assert.deepEqual(created.body.status, { nodes: { known: 1, connected: 1 }, usedBy: ['default/auth'] });
  assert.deepEqual(await membersOf(), { selector: { matchLabels: { zone: 'a' } } });
  const shown = (await call('GET', '/v1/plugins/default/auth')).body.spec;
  assert.deepEqual(shown.targetRefs, [{ kind: 'NodeGroup', name: 'edge' }]);
  const again = await apply();
  assert.deepEqual([again.body.result, again.body.warnings], ['unchanged', []]);
});

test('a changed group stores its plugins anew in the same transaction, once, without the preset of another rollout', async t => {
  const { call, store, membersOf } = await setUp(t);
  await call('PUT', PATH, byLabel('zone', 'a'));
  await call('PUT', '/v1/plugins/default/auth?preset=cautious&message=first', plugin('edge'));
  const before = await store.get('PluginSpec', 'default/auth');
  assert.equal(before?.value.preset, 'cautious');
  const changed = await call('PUT', `${PATH}?message=all of them`, byLabel('tier', 'edge'));
  assert.deepEqual([changed.body.result, changed.body.moves], ['configured', ['default/auth']]);
  const after = await store.get('PluginSpec', 'default/auth');
  assert.equal(after?.revision, (await store.get('NodeGroup', 'default/edge'))?.revision);
  assert.deepEqual(await membersOf(), { selector: { matchLabels: { tier: 'edge' } } });
  assert.equal(after?.value.preset, undefined);
  assert.equal(after?.value.message, 'node group edge: all of them');
  assert.equal(after?.value.createdAt, before?.value.createdAt);
  const same = await call('PUT', PATH, byLabel('tier', 'edge'));
  assert.deepEqual([same.body.result, same.body.moves], ['unchanged', []]);
  assert.equal((await store.get('PluginSpec', 'default/auth'))?.revision, after?.revision);
});

test('a dry run and a freeze change nothing, and If-Match holds', async t => {
  const { call, store, apply } = await setUp(t);
  await apply();
  const planned = await call('PUT', `${PATH}?dryRun=true`, byLabel('tier', 'edge'));
  assert.deepEqual([planned.status, planned.body.moves, planned.body.dryRun], [200, ['default/auth'], true]);
  assert.equal(planned.body.status.nodes.known, 2);
  assert.equal(await store.get('NodeGroup', 'default/edge'), undefined);
  await call('PUT', '/v1/freeze', { message: 'night' });
  const frozen = await call('PUT', PATH, byLabel('tier', 'edge'));
  assert.deepEqual([frozen.status, frozen.body.code], [423, 'frozen']);
  await call('DELETE', '/v1/freeze');
  const created = await call('PUT', PATH, byLabel('tier', 'edge'));
  const old = { 'if-match': created.headers.get('etag') ?? '' };
  await call('PUT', PATH, byLabel('zone', 'a'));
  const late = await call('PUT', PATH, byLabel('zone', 'b'), old);
  assert.deepEqual([late.status, late.body.code], [412, 'revision-mismatch']);
});

test('a plan takes the groups beside a plugin for stored, wherever they stand', async t => {
  const { call, store } = await setUp(t);
  const warningsOf = async (documents: readonly object[]): Promise<string> => {
    const { status, body } = await call('POST', '/v1/plans?modules=false', { documents });
    assert.equal(status, 200);
    assert.deepEqual(
      body.items.map((item: { kind: string }) => item.kind),
      ['PluginPlan'],
    );
    return body.items[0].warnings.join('\n');
  };
  assert.match(await warningsOf([plugin('edge')]), /there is none/);
  assert.doesNotMatch(await warningsOf([plugin('edge'), byLabel('zone', 'a')]), /there is none|matches no/);
  assert.equal(await store.get('NodeGroup', 'default/edge'), undefined);
  const faulty = await call('POST', '/v1/plans', { documents: [plugin('edge'), group({})] });
  assert.deepEqual([faulty.status, faulty.body.errors?.[0]?.pointer], [422, '/documents/1/spec/selector']);
});

test('a group that a plugin names is not deleted; a deleted plugin names none', async t => {
  const { call, apply } = await setUp(t);
  await call('PUT', PATH, byLabel('tier', 'edge'));
  await apply();
  const refused = await call('DELETE', PATH);
  assert.deepEqual([refused.status, refused.body.code], [409, 'group-in-use']);
  assert.match(refused.body.detail, /named by default\/auth/);
  await call('DELETE', '/v1/plugins/default/auth');
  const deleted = await call('DELETE', PATH);
  assert.deepEqual([deleted.status, deleted.body.text], [200, 'node group default/edge: deleted']);
  assert.equal((await call('GET', PATH)).status, 404);
  assert.equal((await call('DELETE', PATH)).body.code, 'not-found');
});

test('lists and nodes tell who is in which group', async t => {
  const { call } = await setUp(t);
  await call('PUT', PATH, byLabel('tier', 'edge'));
  await call('PUT', '/v1/nodegroups/default/one', group({ nodes: ['*-2'] }, 'one'));
  const { items } = (await call('GET', '/v1/nodegroups')).body;
  assert.deepEqual(
    items.map(({ metadata, status }: { metadata: { name: string }; status: { nodes: object } }) => [
      metadata.name,
      status.nodes,
    ]),
    [
      ['edge', { known: 2, connected: 2 }],
      ['one', { known: 1, connected: 1 }],
    ],
  );
  const groupsOf = async (id: string) => (await call('GET', `/v1/nodes/${id}`)).body.status.groups;
  assert.deepEqual(await groupsOf('edge-1'), ['default/edge']);
  assert.deepEqual(await groupsOf('edge-2'), ['default/edge', 'default/one']);
});

test('nodes that a group tells apart by their ids are not taken for equal', () => {
  const nodes = ['edge-1', 'edge-2', 'edge-3'].map(id => makePresence({}, { id }));
  const asked = { targetRefs: [{ kind: 'NodeGroup', name: 'one', members: { nodes: ['*-2'] } } as const] };
  const found = groupEqualNodes(nodes, [], [asked]).map(equal => equal.map(({ node }) => node.id));
  assert.deepEqual(found, [['edge-1', 'edge-3'], ['edge-2']]);
});
