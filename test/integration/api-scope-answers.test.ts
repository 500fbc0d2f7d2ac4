/** What a scope is told when it changes something, or plans to: no more than when it reads. docs/access.md */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import type { CallContext } from '../../src/api/api-context.ts';
import { excludeNode, includeNode } from '../../src/api/node-policy.ts';
import { silentLog } from '../../src/model/ports.ts';
import type { Scope } from '../../src/model/scope.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { revisionKey, rolloutKey } from '../../src/store/record-kinds.ts';
import { startAccessScene } from '../api/access-scene.ts';
import { systemClock } from '../api/api-client.ts';
import { makeRevision } from '../api/rollout-records.ts';
import { makeAssignment, makePresence, makeRollout, makeSide, makeSpec } from '../model/records.ts';

const EDGE: Scope = { plugins: 'edge/' };
const TIER: Scope = { nodes: { tier: 'edge' } };

async function startAs(t: TestContext, scope: Scope) {
  const scene = await startAccessScene(t);
  const token = await scene.give('deployer', scope, { name: 'ci' });
  return {
    ...scene,
    ask: (method: string, path: string, body?: unknown) => scene.callAs(token, method, path, body),
  };
}

function plugin(namespace: string, name: string, matchLabels: Readonly<Record<string, string>>) {
  const spec = { url: 'oci://r/x:2', selector: { matchLabels } };
  return { apiVersion: 'attache/v1', kind: 'Plugin', metadata: { namespace, name }, spec };
}

for (const [what, scope] of [
  ['plugins', EDGE],
  ['nodes', TIER],
] as const)
  test(`a document that matches no node is not told of nodes outside of a scope of ${what}`, async t => {
    const { ask, store } = await startAs(t, scope);
    // The nearest miss is outside: it lacks one label alone.
    const near = { tier: 'hidden-tier', zone: 'hidden-zone' };
    await store.put(
      'NodePresence',
      'core-2',
      makePresence({}, { id: 'core-2', namespace: 'hidden', labels: near }),
    );
    await store.delete('NodePresence', 'edge-1');
    const body = plugin('edge', 'new', { tier: 'edge', zone: 'b' });
    const answers = [
      await ask('PUT', '/v1/plugins/edge/new?dryRun=true', body),
      await ask('POST', '/v1/plans', { documents: [body] }),
      await ask('PUT', '/v1/plugins/edge/new', body),
      await ask('PATCH', '/v1/plugins/edge/new', { spec: { priority: 1 } }),
    ];
    for (const { status, body: answer } of answers) {
      assert.ok(status < 300, JSON.stringify(answer));
      assert.doesNotMatch(JSON.stringify(answer), /core|hidden/);
    }
  });

test('what stands beside a plugin on its nodes is not told where it is outside of the scope', async t => {
  const { ask, store } = await startAs(t, EDGE);
  // Of everybody, and of the same place in the chain: nobody said which comes first.
  const hidden = 'istio-system/hidden';
  await store.put('PluginSpec', hidden, makeSpec({ namespace: 'istio-system', name: 'hidden' }));
  await store.put('Assignment', hidden, makeAssignment({ plugin: hidden, base: makeSide(1) }));
  const body = plugin('edge', 'new', { tier: 'edge' });
  for (const { status, body: answer } of [
    await ask('PUT', '/v1/plugins/edge/new?dryRun=true', body),
    await ask('POST', '/v1/plans', { documents: [body] }),
    await ask('PUT', '/v1/plugins/edge/new', body),
  ]) {
    assert.ok(status < 300, JSON.stringify(answer));
    assert.match(JSON.stringify(answer), /edge-1|edge\/new/);
    assert.doesNotMatch(JSON.stringify(answer), /hidden/);
  }
});

test('a resource that is in the way is not named where it is outside of the scope', async t => {
  const { ask, store, callAs, give } = await startAs(t, TIER);
  const listener = (name: string, port: number) => ({
    '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener',
    name,
    address: { socketAddress: { address: '10.0.0.1', portValue: port } },
  });
  // It selects nodes of every label.
  const hidden = { namespace: 'edge', name: 'hidden', type: 'listeners' as const, createdAt: 1 };
  await store.put('ResourceSpec', 'listeners/edge/hidden', { ...hidden, resource: listener('web', 80) });
  const document = (resource: object) => ({
    apiVersion: 'attache/v1',
    kind: 'EnvoyResource',
    metadata: { namespace: 'edge', name: 'mine' },
    spec: { selector: { matchLabels: { tier: 'edge' } }, resource },
  });
  const admin = await give('admin');
  for (const [body, code] of [
    [document(listener('web', 81)), 'name-conflict'],
    [document(listener('other', 80)), 'address-conflict'],
  ] as const)
    for (const [method, path, sent] of [
      ['PUT', '/v1/resources/listeners/edge/mine', body],
      ['POST', '/v1/plans', { documents: [body] }],
    ] as const) {
      const answer = await ask(method, path, sent);
      assert.deepEqual([answer.status, answer.body.code], [409, code]);
      assert.doesNotMatch(JSON.stringify(answer.body), /hidden/);
      assert.match(JSON.stringify((await callAs(admin, method, path, sent)).body), /edge\/hidden/);
    }
});

test('a verb answers with no rollout that its caller may not read', async t => {
  const { ask, store } = await startAs(t, TIER);
  // It came from nodes of every label.
  const selector = { matchLabels: { tier: 'edge' } };
  const rollout = makeRollout({
    id: 'edge.auth.2',
    number: 2,
    plugin: 'edge/auth',
    kind: 'placement',
    phase: 'Succeeded',
    from: makeSide(2, {}),
    to: makeSide(2, { selector }),
    specRevision: 1,
  });
  await store.put('Rollout', rolloutKey('edge/auth', 2), rollout);
  await store.put('Revision', revisionKey('edge/auth', 2), { ...makeRevision(2), plugin: 'edge/auth' });
  assert.equal((await ask('GET', '/v1/rollouts/edge.auth.2')).status, 404);
  const { status, body } = await ask('POST', '/v1/plugins/edge/auth/undo', { to: 2 });
  assert.deepEqual([status, body.outcome, body.rollout], [200, 'already-back', null]);
});

test('a token for no labels is refused: it would be one for everything', async t => {
  const { give, callAs } = await startAccessScene(t);
  const admin = await give('admin');
  const answer = await callAs(admin, 'POST', '/v1/tokens', { name: 'ci', role: 'deployer', nodes: {} });
  assert.equal(answer.status, 422);
  assert.deepEqual(
    answer.body.errors.map(({ pointer }: { pointer: string }) => pointer),
    ['/nodes'],
  );
});

test('a node that leaves the scope while its change waits for its turn stays as it is', async t => {
  const store = createMemoryStore();
  t.after(() => store.close());
  const node = { id: 'edge-1', namespace: 'edge', labels: { tier: 'edge' } };
  await store.put('NodePresence', node.id, makePresence({}, node));
  // What the guard saw is over: an admin was faster.
  const moved = { node: node.id, identity: { labels: { tier: 'core' } } };
  const context = {
    store,
    clock: systemClock,
    log: silentLog,
    random: (bytes: number) => randomBytes(bytes).toString('hex'),
    rootNamespace: 'istio-system',
    dryRun: false,
    caller: {
      who: 'ci',
      role: 'deployer',
      scope: TIER,
      address: '127.0.0.1',
      requestId: 'x',
      token: undefined,
    },
    exclusive: async (write: () => Promise<unknown>) => {
      await store.put('NodePolicy', node.id, moved);
      return write();
    },
  } as unknown as CallContext;
  const change = { ifMatch: undefined, ifNoneMatch: undefined, message: undefined };
  for (const verb of [excludeNode, includeNode])
    await assert.rejects(verb(context, node.id, change), { code: 'forbidden' });
  assert.deepEqual((await store.get('NodePolicy', node.id))?.value, moved);
});
