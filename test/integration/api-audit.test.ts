import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ROUTE_ACCESS } from '../../src/api/access/route-access.ts';
import { NO_CHANGES } from '../../src/api/audit-request.ts';
import type { AuditEntry } from '../../src/model/audit.ts';
import { CHAIN_START, followChain, isBroken } from '../../src/model/audit-chain.ts';
import type { RolloutPhase } from '../../src/model/rollout.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { quarantineKey } from '../../src/store/record-kinds.ts';
import type { Store } from '../../src/store/store.ts';
import { NO_ACCESS, startApi } from '../api/api-client.ts';
import { makeMoves, makeRevision, makeUpdate, writeScene } from '../api/rollout-records.ts';

const NOW = Date.now();
const ROLLOUT = '/v1/rollouts/default.auth.3';
const PLUGIN = '/v1/plugins/default/auth';
const SECRET = '/v1/pullsecrets/default/registry';
const CLUSTER = '/v1/resources/clusters/default/web';
const document = (priority: number) => ({
  apiVersion: 'attache/v1',
  kind: 'Plugin',
  metadata: { name: 'auth' },
  spec: { url: 'oci://r/auth:1', priority, pluginConfig: { key: 'hunter2' } },
});
const secret = (auth: string) => ({
  apiVersion: 'attache/v1',
  kind: 'PullSecret',
  metadata: { name: 'registry' },
  dockerConfig: { auths: { 'r.example': { auth } } },
});
const cluster = {
  apiVersion: 'attache/v1',
  kind: 'EnvoyResource',
  metadata: { name: 'web' },
  spec: { resource: { '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster', name: 'web' } },
};
const token = { name: 'ci-edge', role: 'deployer' };
const webhook = { url: 'https://hooks.example/services/hunter2' };
const group = {
  apiVersion: 'attache/v1',
  kind: 'NodeGroup',
  metadata: { name: 'edge' },
  spec: { selector: { matchLabels: { tier: 'edge' } } },
};
const WEBHOOK = '/v1/webhooks/on-call';
const GROUP = '/v1/nodegroups/default/edge';

interface Asked {
  readonly path: string;
  readonly body?: unknown;
  readonly phase?: RolloutPhase;
  /** Asked for before, so that there is something to change. */
  readonly before?: readonly (readonly [string, string, unknown?])[];
  readonly action: string;
  readonly subject: string;
  /** Of the records that it changed. */
  readonly changes: readonly string[];
}

/** Every route that changes something, asked for something that it does. */
const CHANGES: Readonly<Record<string, Asked>> = {
  'PUT /v1/plugins/:namespace/:name': {
    path: PLUGIN,
    body: document(3),
    action: 'plugin.configured',
    subject: 'default/auth',
    changes: ['PluginSpec'],
  },
  'PATCH /v1/plugins/:namespace/:name': {
    path: PLUGIN,
    body: { spec: { priority: 3 } },
    action: 'plugin.configured',
    subject: 'default/auth',
    changes: ['PluginSpec'],
  },
  'DELETE /v1/plugins/:namespace/:name': {
    path: PLUGIN,
    action: 'plugin.deleted',
    subject: 'default/auth',
    changes: ['PluginSpec'],
  },
  'POST /v1/plugins/:namespace/:name/undo': {
    path: `${PLUGIN}/undo`,
    phase: 'Succeeded',
    action: 'rollout.undo',
    subject: 'default/auth',
    changes: ['RolloutIntent'],
  },
  ...Object.fromEntries(
    (
      [
        ['pause', 'Progressing'],
        ['resume', 'Paused'],
        ['promote', 'Progressing'],
        ['abort', 'Progressing'],
        ['retry', 'RolledBack'],
      ] as const
    ).map(([verb, phase]) => [
      `POST /v1/rollouts/:id/${verb}`,
      {
        path: `${ROLLOUT}/${verb}`,
        phase,
        action: `rollout.${verb}`,
        subject: 'default.auth.3',
        changes: ['RolloutIntent'],
      },
    ]),
  ),
  'PUT /v1/resources/:type/:namespace/:name': {
    path: CLUSTER,
    body: cluster,
    action: 'resource.created',
    subject: 'clusters/default/web',
    changes: ['ResourceSpec'],
  },
  'DELETE /v1/resources/:type/:namespace/:name': {
    path: CLUSTER,
    before: [['PUT', CLUSTER, cluster]],
    action: 'resource.deleted',
    subject: 'clusters/default/web',
    changes: ['ResourceSpec'],
  },
  'PUT /v1/pullsecrets/:namespace/:name': {
    path: SECRET,
    body: secret('aHVudGVyMjpodW50ZXIy'),
    action: 'pullsecret.created',
    subject: 'default/registry',
    changes: ['PullSecret'],
  },
  'DELETE /v1/pullsecrets/:namespace/:name': {
    path: SECRET,
    before: [['PUT', SECRET, secret('aHVudGVyMjpodW50ZXIy')]],
    action: 'pullsecret.deleted',
    subject: 'default/registry',
    changes: ['PullSecret'],
  },
  'PUT /v1/nodes/:id/log-level': {
    path: '/v1/nodes/edge-01/log-level',
    body: { level: 'debug' },
    before: [['PATCH', '/v1/nodes/edge-01', { admin: 'http://127.0.0.1:9901' }]],
    action: 'node.log-level',
    subject: 'edge-01',
    changes: [],
  },
  'PUT /v1/nodes/:id/exclusion': {
    path: '/v1/nodes/edge-01/exclusion',
    action: 'node.excluded',
    subject: 'edge-01',
    changes: ['NodePolicy'],
  },
  'DELETE /v1/nodes/:id/exclusion': {
    path: '/v1/nodes/edge-01/exclusion',
    before: [['PUT', '/v1/nodes/edge-01/exclusion']],
    action: 'node.included',
    subject: 'edge-01',
    changes: ['NodePolicy'],
  },
  'PATCH /v1/nodes/:id': {
    path: '/v1/nodes/edge-01',
    body: { admin: 'http://127.0.0.1:9901' },
    action: 'node.configured',
    subject: 'edge-01',
    changes: ['NodePolicy'],
  },
  'DELETE /v1/nodes/:id': {
    path: '/v1/nodes/edge-19',
    action: 'node.forgotten',
    subject: 'edge-19',
    changes: ['NodePolicy'],
  },
  'POST /v1/nodes/:id/token': {
    path: '/v1/nodes/edge-01/token',
    action: 'node.token',
    subject: 'edge-01',
    changes: [],
  },
  'PUT /v1/nodes/:id/revocation': {
    path: '/v1/nodes/edge-01/revocation',
    action: 'node.revoked',
    subject: 'edge-01',
    changes: ['NodePolicy'],
  },
  'PUT /v1/nodegroups/:namespace/:name': {
    path: GROUP,
    body: group,
    action: 'nodegroup.created',
    subject: 'default/edge',
    changes: ['NodeGroup'],
  },
  'DELETE /v1/nodegroups/:namespace/:name': {
    path: GROUP,
    before: [['PUT', GROUP, group]],
    action: 'nodegroup.deleted',
    subject: 'default/edge',
    changes: ['NodeGroup'],
  },
  'PUT /v1/webhooks/:name': {
    path: WEBHOOK,
    body: webhook,
    action: 'webhook.created',
    subject: 'on-call',
    changes: ['Webhook'],
  },
  'DELETE /v1/webhooks/:name': {
    path: WEBHOOK,
    before: [['PUT', WEBHOOK, webhook]],
    action: 'webhook.removed',
    subject: 'on-call',
    changes: ['Webhook'],
  },
  'POST /v1/webhooks/:name/test': {
    path: `${WEBHOOK}/test`,
    before: [['PUT', WEBHOOK, webhook]],
    action: 'webhook.tested',
    subject: 'on-call',
    changes: [],
  },
  'PUT /v1/freeze': { path: '/v1/freeze', action: 'fleet.frozen', subject: 'fleet', changes: ['Freeze'] },
  'DELETE /v1/freeze': {
    path: '/v1/freeze',
    before: [['PUT', '/v1/freeze']],
    action: 'fleet.unfrozen',
    subject: 'fleet',
    changes: ['Freeze'],
  },
  'POST /v1/tokens': {
    path: '/v1/tokens',
    body: token,
    action: 'token.created',
    subject: 'ci-edge',
    changes: ['Token'],
  },
  'DELETE /v1/tokens/:name': {
    path: '/v1/tokens/ci-edge',
    before: [['POST', '/v1/tokens', token]],
    action: 'token.revoked',
    subject: 'ci-edge',
    changes: ['Token'],
  },
};

test('every route that changes something is tried here', () => {
  const changing = Object.keys(ROUTE_ACCESS).filter(
    route => !route.startsWith('GET ') && !NO_CHANGES.has(route),
  );
  assert.deepEqual(changing.sort(), Object.keys(CHANGES).sort());
});

for (const [route, asked] of Object.entries(CHANGES)) {
  const method = route.split(' ')[0] ?? '';

  test(`${route}: a change is one entry, with who, from where, what, before and after`, async t => {
    const { call, entries } = await start(t, asked.phase);
    for (const [method, path, body] of asked.before ?? []) await call(method, path, body);
    const before = await entries();
    const answer = await call(method, asked.path, asked.body, { 'x-request-id': 'r-1' });
    assert.ok(answer.status < 300, JSON.stringify(answer.body));
    const after = (await entries()).slice(before.length);
    assert.equal(after.length, 1, JSON.stringify(after));
    const { actor, address, requestId, action, subject, result, changes = [] } = after[0] ?? {};
    assert.deepEqual(
      { actor, address, requestId, action, subject, result },
      {
        actor: 'admin',
        address: '127.0.0.1',
        requestId: 'r-1',
        action: asked.action,
        subject: asked.subject,
        result: 'done',
      },
    );
    assert.deepEqual(
      changes.map(({ record }) => record),
      asked.changes,
    );
    for (const { before, after } of changes) assert.notEqual(before, after);
    assert.doesNotMatch(JSON.stringify(after), /hunter2|aHVudGVy/);
    assert.ok(!isBroken(followChain(CHAIN_START, await entries())));
  });

  test(`${route}: a dry run changes nothing and leaves no entry, and what is refused leaves one`, async t => {
    const { call, entries, store } = await start(t, asked.phase);
    for (const [method, path, body] of asked.before ?? []) await call(method, path, body);
    const before = await entries();
    await call(method, `${asked.path}?dryRun=true`, asked.body);
    assert.deepEqual(await entries(), before);
    const { revision } = await store.list('Freeze');
    const refused = await call(method, asked.path, asked.body, {
      'x-request-id': 'r-1',
      authorization: 'Bearer nobody-knows-it',
    });
    assert.equal(refused.status, 401);
    const after = (await entries()).slice(before.length);
    assert.equal(after.length, 1);
    assert.partialDeepStrictEqual(after[0], {
      actor: 'unknown',
      address: '127.0.0.1',
      requestId: 'r-1',
      action: route,
      result: 'denied',
      code: 'unauthenticated',
      changes: [],
    });
    assert.equal((await store.list('Freeze')).revision, revision + 1, 'nothing but the entry was written');
  });
}

test('what a freeze, a precondition or a fault in the document refuses is in the audit with its code, without the document', async t => {
  const { call, entries } = await start(t);
  await call('PUT', '/v1/freeze');
  await call('PUT', PLUGIN, document(3));
  await call('DELETE', '/v1/freeze');
  await call('PUT', PLUGIN, document(3), { 'if-match': '"99"' });
  await call('PUT', PLUGIN, { ...document(3), spec: { url: 'oci://r/auth:1', hunter2: 'hunter2' } });
  await call('POST', `${ROLLOUT}/retry`);
  const denied = (await entries()).filter(({ result }) => result === 'denied');
  assert.deepEqual(
    denied.map(({ code, subject }) => [code, subject]),
    [
      ['frozen', 'default/auth'],
      ['revision-mismatch', 'default/auth'],
      ['unknown-field', 'default/auth'],
      ['illegal-action', 'default.auth.3'],
    ],
  );
  assert.equal(denied[2]?.text, 'The document is not valid: /spec/hunter2');
});

test('a page of another site that tries to change anything is in the audit', async t => {
  const { call, entries } = await start(t);
  const origin = { origin: 'http://evil.example' };
  assert.equal((await call('DELETE', PLUGIN, undefined, origin)).body.code, 'foreign-origin');
  assert.equal((await call('GET', PLUGIN, undefined, origin)).status, 403);
  const denied = await entries();
  assert.deepEqual(
    denied.map(({ actor, action, subject, code, address }) => [actor, action, subject, code, address]),
    [['unknown', 'DELETE', PLUGIN, 'foreign-origin', '127.0.0.1']],
  );
});

test('what is only read, not found or not understood leaves no entry', async t => {
  const { call, entries } = await start(t);
  for (const [method, path, body] of [
    ['GET', '/v1/plugins'],
    ['GET', '/v1/audit'],
    ['POST', '/v1/plans', {}],
    ['DELETE', '/v1/plugins/default/none'],
    ['PUT', PLUGIN, '{'],
    ['PUT', '/v1/no-such-path', {}],
  ] as const)
    await call(method, path, body);
  assert.deepEqual(await entries(), []);
});

test('C-B2: CI that applies what is held back is one line of the audit, however often it does', async t => {
  const { call, entries, store } = await start(t, 'RolledBack');
  const { contentHash } = makeRevision(8, { priority: 8 });
  const held = { plugin: 'default/auth', contentHash, revision: 8, rollout: 'default.auth.3' };
  await store.put('Quarantine', quarantineKey('default/auth', contentHash), {
    ...held,
    cause: 'refused',
    text: 'was refused by edge-01 and 2 more',
    at: NOW,
  });
  const spec = (await store.get('PluginSpec', 'default/auth'))?.value;
  const again = { ...document(0), spec: { url: spec?.url, priority: spec?.priority } };
  for (let i = 0; i < 5; i += 1) {
    const { body } = await call('PUT', `${PLUGIN}?message=again`, again);
    assert.equal(body.result, 'held-back', JSON.stringify(body));
  }
  const lines = (await entries()).filter(({ result }) => result === 'held-back');
  assert.deepEqual(
    lines.map(({ actor, action, text, reason }) => [actor, action, text, reason]),
    [['admin', 'plugin.held-back', 'default/auth: apply by admin: held back', 'again']],
  );
});

/** The API over a fleet with a rollout of default/auth in a phase; no other stage is there. */
async function start(t: TestContext, phase: RolloutPhase = 'Progressing') {
  const store: Store = createMemoryStore();
  await writeScene(store, {
    now: NOW,
    spec: { url: 'oci://r/auth:1', priority: 8 },
    rollout: makeUpdate({ phase, step: 1, stage: phase === 'Progressing' ? 'Soaking' : null }),
    moves: makeMoves('default.auth.3', NOW, 1, 4),
    runs: id => (id === 'edge-19' ? null : 7),
  });
  const nodes = { ...NO_ACCESS, admin: { ...NO_ACCESS.admin, logLevel: async () => 'debug' } };
  const envoyAccess = { tls: [], auth: 'token', makeToken: () => 'hunter2' } as const;
  const api = await startApi(store, { takeInMs: 20, nodes, envoyAccess });
  t.after(async () => {
    await api.stop();
    await store.close();
  });
  const entries = async (): Promise<readonly AuditEntry[]> =>
    (await store.list('AuditEntry')).records.map(({ value }) => value);
  return { ...api, store, entries };
}
