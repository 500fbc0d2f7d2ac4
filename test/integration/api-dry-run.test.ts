/** `?dryRun=true` on every change that the OpenAPI document has: answered as if, and nothing reaches the store. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLUGIN as DOCUMENT, PULL_SECRET, RESOURCE } from '../../src/api/openapi/examples.ts';
import type { NodeAdmin } from '../../src/model/node-access.ts';
import type { RolloutPhase } from '../../src/model/rollout.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { FREEZE_KEY } from '../../src/store/record-kinds.ts';
import type { Store } from '../../src/store/store.ts';
import { NO_ACCESS, startApi } from '../api/api-client.ts';
import { makeMoves, makeUpdate, NODES, putRollout, writeScene } from '../api/rollout-records.ts';
import { operationsOf, readOpenApi } from '../contract/openapi-document.ts';
import { makePresence } from '../model/records.ts';

interface DryRun {
  readonly path: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The phase that the rollout is in then. */
  readonly phase?: RolloutPhase;
  readonly before?: (store: Store) => Promise<unknown>;
}

const PLUGIN = { namespace: 'default', name: 'auth' };
const ROLLOUT = { id: 'default.auth.latest' };
const NODE = { id: NODES[0] ?? '' };
const CLUSTER = { type: 'clusters', namespace: 'default', name: 'app' };
const SECRET = { namespace: 'default', name: 'registry' };
const GROUP = { namespace: 'default', name: 'edge' };
const group = {
  apiVersion: 'attache/v1',
  kind: 'NodeGroup',
  metadata: { name: 'edge' },
  spec: { nodes: ['a'] },
};
const policy = (over: object) => (store: Store) =>
  store.put('NodePolicy', NODE.id, { node: NODE.id, ...over } as never);

/** By operation id: everything that changes anything. What is to be deleted was made before, by the row above it. */
const DRY_RUNS: Readonly<Record<string, DryRun>> = {
  applyPlugin: { path: { ...PLUGIN, name: 'new' }, body: { ...DOCUMENT, metadata: { name: 'new' } } },
  patchPlugin: { path: PLUGIN, body: { spec: { priority: 3 } } },
  deletePlugin: { path: PLUGIN },
  undoPlugin: { path: PLUGIN, body: { message: 'm' } },
  pauseRollout: { path: ROLLOUT },
  resumeRollout: { path: ROLLOUT, phase: 'Paused' },
  promoteRollout: { path: ROLLOUT, body: { full: true } },
  abortRollout: { path: ROLLOUT },
  retryRollout: { path: ROLLOUT, phase: 'Aborted' },
  applyResource: { path: CLUSTER, body: RESOURCE },
  deleteResource: { path: CLUSTER },
  applyPullSecret: { path: SECRET, body: PULL_SECRET },
  deletePullSecret: { path: SECRET },
  applyNodeGroup: { path: GROUP, body: group },
  deleteNodeGroup: { path: GROUP },
  configureNode: { path: NODE, body: { namespace: 'edge', labels: { a: 'b' } } },
  excludeNode: { path: NODE },
  includeNode: { path: NODE, before: policy({ excluded: { by: 'a', message: null, at: 1 } }) },
  setNodeLogLevel: { path: NODE, body: { level: 'debug' }, before: policy({ admin: 'http://127.0.0.1:1' }) },
  revokeNode: { path: NODE },
  makeNodeToken: { path: NODE },
  forgetNode: {
    path: NODE,
    before: store => store.put('NodePresence', NODE.id, makePresence({ connected: false }, NODE)),
  },
  freeze: { path: {}, body: { message: 'm' } },
  unfreeze: { path: {}, before: store => store.put('Freeze', FREEZE_KEY, { by: 'a', message: null, at: 1 }) },
  createToken: { path: {}, body: { name: 'ci', role: 'viewer' } },
  revokeToken: { path: { name: 'ci' } },
  applyWebhook: { path: { name: 'chat' }, body: { url: 'https://hooks.example/a' } },
  testWebhook: { path: { name: 'chat' } },
  deleteWebhook: { path: { name: 'chat' } },
};
const READS = ['planDocuments', 'convertDocuments'];
/** What it is done on, in earnest, before the dry run of what comes after it. */
const THEN_IN_EARNEST = ['applyResource', 'applyPullSecret', 'applyNodeGroup', 'createToken', 'applyWebhook'];

/** A store that tells of each write. */
function watched(store: Store, told: (what: string) => void): Store {
  return new Proxy(store, {
    get(target, name) {
      const own: unknown = Reflect.get(target, name);
      if (typeof own !== 'function') return own;
      return (...args: unknown[]) => {
        if (['put', 'delete', 'transaction'].includes(String(name)))
          told(`${String(name)} ${JSON.stringify(args)}`);
        return own.apply(target, args);
      };
    },
  });
}

test('no dry run of any change writes anything, and each of them is answered', async t => {
  const writes: string[] = [];
  const store = createMemoryStore();
  const asked: (string | undefined)[] = [];
  const admin: NodeAdmin = {
    ...NO_ACCESS.admin,
    logLevel: async (_address, _node, level) => {
      asked.push(level);
      return 'info';
    },
  };
  const now = Date.now();
  await writeScene(store, { now, rollout: makeUpdate(), moves: makeMoves('default.auth.3', now, 1, 4) });
  const api = await startApi(
    watched(store, what => writes.push(what)),
    {
      nodes: { ...NO_ACCESS, admin },
      envoyAccess: { tls: [], auth: 'token', makeToken: () => 'a-token' },
      checkResource: async () => ({ typeUrl: 'x', envoyName: 'app', warnings: [], sensitive: [] }),
    },
  );
  t.after(async () => {
    await api.stop();
    await store.close();
  });
  const changes = new Map(
    operationsOf(await readOpenApi(api.url))
      .filter(({ method, operation }) => method !== 'GET' && !READS.includes(operation.operationId))
      .map(one => [one.operation.operationId, one]),
  );
  assert.deepEqual(Object.keys(DRY_RUNS).sort(), [...changes.keys()].sort());
  for (const [id, { path: places, body, phase = 'Progressing', before }] of Object.entries(DRY_RUNS)) {
    const { method, path } = changes.get(id) ?? assert.fail(id);
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => places[name] ?? assert.fail(`${id}: ${name}`));
    await putRollout(store, makeUpdate({ phase, specRevision: 1 }));
    await before?.(store);
    writes.length = 0;
    const answer = await api.call(method, `${filled}?dryRun=true`, body);
    assert.ok(answer.status === 200, `${id}: ${answer.status} ${JSON.stringify(answer.body)}`);
    assert.deepEqual(writes, [], id);
    const { dryRun, outcome, text = '' } = answer.body;
    assert.ok(
      dryRun === true || outcome === 'planned' || /^dry run/.test(text),
      `${id} says what it is: ${text}`,
    );
    if (THEN_IN_EARNEST.includes(id)) assert.ok((await api.call(method, filled, body)).status < 300, id);
    await store.delete('Freeze', FREEZE_KEY);
  }
  assert.deepEqual(asked, [undefined], 'an Envoy was asked, and told nothing');
});
