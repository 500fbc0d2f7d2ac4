/** What a scope shows, and what it lets change: before and after. docs/access.md */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Role } from '../../src/model/access.ts';
import type { Scope } from '../../src/model/scope.ts';
import { revisionKey, rolloutKey } from '../../src/store/record-kinds.ts';
import { startAccessScene } from '../api/access-scene.ts';
import type { Answer } from '../api/api-client.ts';
import { makeRevision } from '../api/rollout-records.ts';
import { makeAssignment, makeRollout, makeSide } from '../model/records.ts';

const NODES: Scope = { nodes: { tier: 'edge' } };
const EDGE: Scope = { plugins: 'edge/' };

async function startAs(t: TestContext, role: Role, scope: Scope) {
  const scene = await startAccessScene(t);
  const token = await scene.give(role, scope, { name: 'ci' });
  const ask = (method: string, path: string, body?: unknown): Promise<Answer> =>
    scene.callAs(token, method, path, body);
  return { ...scene, ask };
}

function plugin(name: string, matchLabels?: Readonly<Record<string, string>>) {
  const selector = matchLabels === undefined ? {} : { selector: { matchLabels } };
  return {
    apiVersion: 'attache/v1',
    kind: 'Plugin',
    metadata: { name },
    spec: { url: 'oci://r/x:2', ...selector },
  };
}

function namesOf({ body }: Answer): string[] {
  return body.items.map(
    (item: { id?: string; metadata?: { namespace: string; name: string } }) =>
      item.id ?? `${item.metadata?.namespace}/${item.metadata?.name}`,
  );
}

for (const [what, scope, resources, secrets] of [
  ['plugins', EDGE, [], ['edge/registry']],
  ['nodes', NODES, ['edge/ingress'], []],
  ['both', { ...EDGE, ...NODES }, [], []],
] as const)
  test(`lists with a scope of ${what} leave out what is outside`, async t => {
    const { ask } = await startAs(t, 'viewer', scope);
    const lists = ['plugins', 'nodes', 'rollouts', 'resources', 'resources/listeners', 'pullsecrets'];
    const found = await Promise.all(lists.map(async path => namesOf(await ask('GET', `/v1/${path}`))));
    const expected = [['edge/auth'], ['edge/edge-1'], ['edge.auth.1'], resources, resources, secrets];
    assert.deepEqual(found, expected);
    const events = (await ask('GET', '/v1/events')).body.items;
    assert.deepEqual(
      events.map((event: { message: string }) => event.message),
      ['of edge'],
    );
  });

test('without a scope everything is there', async t => {
  const { ask } = await startAs(t, 'viewer', {});
  assert.deepEqual(namesOf(await ask('GET', '/v1/plugins')), ['core/auth', 'edge/auth']);
  assert.equal((await ask('GET', '/v1/events')).body.items.length, 2);
});

test('a plugin and a node show only what is in the scope', async t => {
  const { ask, store } = await startAs(t, 'viewer', EDGE);
  const shown = (await ask('GET', '/v1/plugins/edge/auth')).body;
  assert.deepEqual(
    shown.onNodes.map((one: { node: string }) => one.node),
    ['edge-1'],
  );
  await store.put('PluginSpec', 'istio-system/all', {
    namespace: 'istio-system',
    name: 'all',
    url: 'oci://r/all:1',
    createdAt: 1,
  });
  const { status } = (await ask('GET', '/v1/nodes/edge-1')).body;
  assert.deepEqual(
    status.plugins.map((one: { plugin: string }) => one.plugin),
    ['edge/auth'],
  );
  assert.deepEqual(status.resources, []);
});

test('a plugin that is gone for good is outside of a scope of nodes: nobody knows any more where it was', async t => {
  const { ask, callAs, give, store } = await startAs(t, 'viewer', NODES);
  await store.put('Revision', revisionKey('core/auth', 1), { ...makeRevision(1), plugin: 'core/auth' });
  for (const kind of ['PluginSpec', 'Assignment'] as const) await store.delete(kind, 'core/auth');
  const messagesOf = ({ body }: Answer) => body.items.map(({ message }: { message: string }) => message);
  assert.deepEqual(messagesOf(await ask('GET', '/v1/events')), ['of edge']);
  for (const part of ['revisions', 'revisions/1', 'diff?from=1&to=1', 'rollouts'])
    assert.equal((await ask('GET', `/v1/plugins/core/auth/${part}`)).status, 404, part);
  const all = await give('viewer');
  assert.deepEqual(messagesOf(await callAs(all, 'GET', '/v1/events')).toSorted(), ['of core', 'of edge']);
  assert.equal((await callAs(all, 'GET', '/v1/plugins/core/auth/revisions')).status, 200);
});

test('bundles hold no event that the list of events leaves out', async t => {
  const { ask, store } = await startAs(t, 'viewer', NODES);
  for (const [node, message] of [
    ['core-1', 'hidden'],
    ['edge-1', 'seen'],
  ] as const)
    await store.put('Event', `000000000000002-${node}`, {
      type: 'x',
      at: 2,
      plugin: 'edge/auth',
      node,
      message,
    });
  for (const path of ['/v1/rollouts/edge.auth.1/bundle', '/v1/events']) {
    const text = JSON.stringify((await ask('GET', path)).body);
    assert.match(text, /seen/);
    assert.doesNotMatch(text, /hidden/, path);
  }
});

test('modules of plugins outside are not listed', async t => {
  const { ask, callAs, give, store } = await startAs(t, 'viewer', EDGE);
  for (const [number, of] of [
    [1, 'edge/auth'],
    [2, 'core/auth'],
  ] as const)
    await store.put('Revision', revisionKey(of, number), { ...makeRevision(number), plugin: of });
  const digestsOf = ({ body }: Answer) => body.items.map(({ sha256 }: { sha256: string }) => sha256[0]);
  assert.deepEqual(digestsOf(await ask('GET', '/v1/modules')), ['1']);
  const all = await callAs(await give('viewer'), 'GET', '/v1/modules');
  assert.deepEqual(digestsOf(all).toSorted(), ['1', '2']);
  assert.equal((await ask('GET', `/v1/modules/${'1'.repeat(64)}`)).status, 200);
  assert.equal((await ask('GET', `/v1/modules/${'2'.repeat(64)}`)).status, 404);
});

test('what is outside answers as what is not there', async t => {
  const { ask } = await startAs(t, 'viewer', EDGE);
  for (const [outside, absent] of [
    ['/v1/plugins/core/auth', '/v1/plugins/core/none'],
    ['/v1/rollouts/core.auth.1', '/v1/rollouts/core.none.1'],
    ['/v1/rollouts/core.auth.latest', '/v1/rollouts/core.none.latest'],
    ['/v1/nodes/core-1', '/v1/nodes/none'],
    ['/v1/nodes/core-1/config', '/v1/nodes/none/config'],
    ['/v1/pullsecrets/core/registry', '/v1/pullsecrets/core/none'],
    ['/v1/resources/listeners/core/ingress', '/v1/resources/listeners/core/none'],
  ] as const) {
    const [one, other] = [await ask('GET', outside), await ask('GET', absent)];
    const shapeOf = ({ status, body }: Answer, path: string): unknown => {
      const { requestId: _id, ...rest } = body;
      const said = JSON.stringify({ status, ...rest });
      const names = path.split('/').slice(-2);
      return said
        .replaceAll(path, 'PATH')
        .replace(names.join('/'), 'NAME')
        .replaceAll(names[1] ?? '', 'NAME');
    };
    assert.equal(one.status, 404, outside);
    if (!outside.endsWith('config')) assert.equal(shapeOf(one, outside), shapeOf(other, absent));
  }
});

test('a name that is written oddly is decided on as the route reads it', async t => {
  const { ask } = await startAs(t, 'deployer', EDGE);
  for (const path of [
    '/v1/plugins/edge%2F..%2Fcore/auth',
    '/v1/plugins/core/%61uth',
    '/v1/plugins/%63ore/auth',
    '/v1/plugins/core/auth?namespace=edge',
    '/v1/plugins/core/auth/../../edge/auth/../../core/auth',
    '//v1/plugins/core/auth',
    '/V1/plugins/core/auth',
    '/v1/plugins/core/auth/',
  ])
    assert.notEqual((await ask('GET', path)).status, 200, path);
  assert.equal((await ask('GET', '/v1/plugins/%65dge/%61uth')).status, 200);
});

test('a plugin may be applied where its selector asks for the labels of the scope', async t => {
  const { ask } = await startAs(t, 'deployer', NODES);
  const path = '/v1/plugins/default/new';
  const far = await ask('PUT', path, plugin('new'));
  assert.deepEqual([far.status, far.body.code], [403, 'forbidden']);
  assert.match(far.body.detail, /its selector has to ask for tier=edge/);
  assert.equal((await ask('PUT', path, plugin('new', { tier: 'core' }))).status, 403);
  assert.equal((await ask('POST', '/v1/plans?modules=false', plugin('new'))).status, 403);
  const near = await ask('PUT', path, plugin('new', { tier: 'edge', zone: 'a' }));
  assert.deepEqual([near.status, near.body.result], [201, 'created']);
  assert.equal((await ask('GET', path)).status, 200);
});

test('a document that reaches further cannot be taken over, narrowed, patched, deleted or undone', async t => {
  const { ask, store } = await startAs(t, 'approver', NODES);
  const stored = await store.get('PluginSpec', 'edge/auth');
  assert.ok(stored);
  const { selector: _all, ...wide } = stored.value;
  await store.put('PluginSpec', 'edge/auth', wide);
  const path = '/v1/plugins/edge/auth';
  const tries = [
    ask('PUT', path, plugin('auth', { tier: 'edge' })),
    ask('PATCH', path, { spec: { selector: { matchLabels: { tier: 'edge' } } } }),
    ask('DELETE', path),
    ask('POST', `${path}/undo`),
    ask('POST', '/v1/rollouts/edge.auth.1/retry'),
    ask('POST', '/v1/plans?modules=false', {
      documents: [{ delete: { kind: 'Plugin', namespace: 'edge', name: 'auth' } }],
    }),
  ];
  for (const { status, body } of await Promise.all(tries)) assert.equal(status, 403, body.detail);
  assert.deepEqual((await store.get('PluginSpec', 'edge/auth'))?.value, wide);
});

test('nodes that run it by an older document count, too', async t => {
  const { ask, store } = await startAs(t, 'deployer', NODES);
  const edge = { selector: { matchLabels: { tier: 'edge' } } };
  const moved = [{ rollout: 'edge.auth.1', side: makeSide(3, edge), nodes: ['edge-1'], since: 1 }];
  await store.put(
    'Assignment',
    'edge/auth',
    makeAssignment({ plugin: 'edge/auth', base: makeSide(2), moved }),
  );
  assert.equal((await ask('PUT', '/v1/plugins/edge/auth', plugin('auth', { tier: 'edge' }))).status, 403);
  assert.equal((await ask('GET', '/v1/plugins/edge/auth')).status, 404);
});

test('undo does not lead out of the scope', async t => {
  const { ask, store } = await startAs(t, 'deployer', NODES);
  const edge = { selector: { matchLabels: { tier: 'edge' } } };
  const before = makeRollout({
    ...{ id: 'edge.auth.2', number: 2, plugin: 'edge/auth', kind: 'placement' },
    ...{ from: makeSide(2), to: makeSide(2, edge) },
  });
  await store.put('Rollout', rolloutKey('edge/auth', 2), before);
  const undone = await ask('POST', '/v1/plugins/edge/auth/undo');
  assert.deepEqual([undone.status, undone.body.code], [403, 'forbidden']);
  assert.equal(await store.get('RolloutIntent', 'edge/auth'), undefined);
  assert.equal((await ask('GET', '/v1/rollouts/edge.auth.2')).status, 404);
  assert.deepEqual(namesOf(await ask('GET', '/v1/rollouts')), ['edge.auth.1']);
});

test('a raw resource may be applied and deleted where both documents keep to the labels', async t => {
  const { ask } = await startAs(t, 'deployer', NODES);
  const listener = (name: string, matchLabels: object) => ({
    ...{ apiVersion: 'attache/v1', kind: 'EnvoyResource', metadata: { name } },
    ...{ selector: { matchLabels } },
    resource: { '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener', name: 'x' },
  });
  const path = '/v1/resources/listeners';
  assert.equal((await ask('PUT', `${path}/edge/new`, listener('new', {}))).status, 403);
  assert.equal((await ask('PUT', `${path}/core/ingress`, listener('ingress', { tier: 'edge' }))).status, 403);
  assert.equal((await ask('DELETE', `${path}/core/ingress`)).status, 403);
  assert.equal((await ask('PUT', `${path}/edge/new`, listener('new', { tier: 'edge' }))).status, 201);
  assert.equal((await ask('DELETE', `${path}/edge/new`)).body.kind, 'Deleted');
});

test('a step that waits for a person is passed by an approver alone', async t => {
  const { ask, store, callAs, give } = await startAs(t, 'deployer', EDGE);
  const rollout = makeRollout({
    ...{ id: 'edge.auth.2', number: 2, plugin: 'edge/auth', phase: 'Paused', reason: 'Human' },
  });
  await store.put('Rollout', rolloutKey('edge/auth', 2), rollout);
  for (const verb of ['resume', 'promote']) {
    const path = `/v1/rollouts/edge.auth.2/${verb}?dryRun=true`;
    const { status, body } = await ask('POST', path);
    assert.deepEqual([status, body.code], [403, 'forbidden'], verb);
    assert.match(body.detail, /takes the role approver, and the token ci has deployer/);
    assert.equal((await callAs(await give('approver', EDGE), 'POST', path)).status, 200, verb);
  }
  await store.put('Rollout', rolloutKey('edge/auth', 2), { ...rollout, reason: 'Person' });
  assert.equal((await ask('POST', '/v1/rollouts/edge.auth.2/resume?dryRun=true')).status, 200);
});

test('history and events name the token as who did it', async t => {
  const { ask, store } = await startAs(t, 'deployer', EDGE);
  await ask('PUT', '/v1/plugins/edge/new', plugin('new'));
  assert.equal((await store.get('PluginSpec', 'edge/new'))?.value.by, 'ci');
  const told = (await ask('GET', '/v1/events?plugin=edge/new')).body.items;
  assert.match(told[0].message, /edge\/new created by ci/);
});
