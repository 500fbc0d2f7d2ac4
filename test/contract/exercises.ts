import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ISTIO_PLUGIN, PULL_SECRET, RESOURCE } from '../../src/api/openapi/examples.ts';
import type { AttacheScene } from '../harness/attache-scene.ts';
import { until } from '../harness/wait.ts';
import type { Exercise } from './contract-client.ts';

/** What exercises are made of. */
export interface ContractScene extends AttacheScene {
  /** Where the module of the plugin is. */
  readonly url: string;
}

/** Of an operation, by its id; they are done in this order. */
export interface OperationExercise {
  readonly id: string;
  make(scene: ContractScene): Exercise | Promise<Exercise>;
}

const PLUGIN = { namespace: 'default', name: 'auth' };
const LATEST = { id: 'default.auth.latest' };
const NODE = { id: 'edge-1' };
const message = 'contract';

function of(id: string, exercise: Exercise): OperationExercise {
  return { id, make: () => exercise };
}

function toDocument(url: string, realm: string) {
  return {
    apiVersion: 'attache/v1',
    kind: 'Plugin',
    metadata: { name: 'auth' },
    spec: { url, phase: 'AUTHN', pluginConfig: { header: 'x-auth', value: realm } },
  };
}

/** Waits until the newest rollout is another than `before`, where one is given, and in one of the phases. */
async function rolloutIn({ attache }: ContractScene, phases: readonly string[], number = 1): Promise<void> {
  await until(
    async () => {
      const { body } = await attache.request('GET', '/v1/rollouts/default.auth.latest');
      if (body.number >= number && phases.includes(body.phase)) return true;
      throw new Error(JSON.stringify(body).slice(0, 600));
    },
    { what: `rollout ${number} to be ${phases.join(' or ')}`, deadlineMs: 20_000 },
  );
}

const steer = (id: string, body: object, phases: readonly string[], number?: number): OperationExercise => ({
  id,
  async make(scene) {
    await rolloutIn(scene, phases, number);
    return { path: LATEST, body, status: 200 };
  },
});

async function readDigest({ attache }: ContractScene): Promise<string> {
  const { items } = await attache.must('GET', '/v1/modules');
  return items[0].sha256;
}

export const EXERCISES: readonly OperationExercise[] = [
  of('getIndex', { status: 200 }),
  of('getVersion', { status: 200 }),
  of('getHealth', { status: 200 }),
  of('getReadiness', { status: 200 }),
  of('getServer', { status: 200 }),
  of('whoAmI', { status: 200 }),
  of('listLimits', { status: 200 }),

  {
    id: 'planDocuments',
    make: ({ url }) => ({
      body: [toDocument(url, 'a')],
      query: { modules: 'false' },
      status: 200,
    }),
  },
  of('planDocuments', {
    body: [{ delete: { kind: 'Plugin', name: 'none' } }],
    status: 404,
    code: 'not-found',
  }),
  of('convertDocuments', { body: ISTIO_PLUGIN, query: { namespace: 'shop' }, status: 200 }),

  // A plugin on its way: it bakes for a minute, which is time to steer it.
  {
    id: 'applyPlugin',
    make: ({ url }) => ({ path: PLUGIN, body: toDocument(url, 'a'), query: { dryRun: 'true' }, status: 200 }),
  },
  {
    id: 'applyPlugin',
    make: ({ url }) => ({
      path: PLUGIN,
      body: toDocument(url, 'a'),
      query: { message, preset: 'fast' },
      headers: { 'if-none-match': '*' },
      status: 201,
    }),
  },
  {
    id: 'applyPlugin',
    make: ({ url }) => ({
      path: PLUGIN,
      body: toDocument(url, 'b'),
      headers: { 'if-match': '"1"' },
      status: 412,
      code: 'revision-mismatch',
    }),
  },
  steer('pauseRollout', { message }, ['Baking']),
  of('pauseRollout', { path: LATEST, status: 409, code: 'illegal-action' }),
  steer('resumeRollout', {}, ['Paused']),
  steer('pauseRollout', {}, ['Baking']),
  steer('promoteRollout', { full: true, message }, ['Paused']),
  {
    id: 'patchPlugin',
    make: async scene => {
      await scene.attache.waitAccepted(NODE.id, 'auth', 1);
      return {
        path: PLUGIN,
        body: { spec: { pluginConfig: { value: 'b' } } },
        query: { message, preset: 'fast' },
        status: 200,
      };
    },
  },
  steer('abortRollout', { message }, ['Baking'], 2),
  steer('retryRollout', { message }, ['Aborted'], 2),
  steer('abortRollout', {}, ['Baking'], 3),
  {
    id: 'undoPlugin',
    make: async scene => {
      await rolloutIn(scene, ['Aborted'], 3);
      return { path: PLUGIN, body: { message }, status: 200 };
    },
  },
  of('listPlugins', { query: { namespace: 'default', q: 'auth', limit: '1' }, status: 200 }),
  of('getPlugin', { path: PLUGIN, status: 200 }),
  of('getPlugin', { path: { ...PLUGIN, name: 'none' }, status: 404, code: 'not-found' }),
  of('getPlugin', { path: PLUGIN, headers: { 'if-none-match': '*' }, status: 304 }),
  of('listRevisions', { path: PLUGIN, status: 200 }),
  of('getRevision', { path: { ...PLUGIN, number: '2' }, status: 200 }),
  of('diffRevisions', { path: PLUGIN, query: { from: '1', to: '2' }, status: 200 }),
  of('listPluginRollouts', { path: PLUGIN, status: 200 }),
  of('listRollouts', { query: { plugin: 'default/auth', active: 'false' }, status: 200 }),
  of('getRollout', { path: LATEST, status: 200 }),
  of('getRolloutBundle', { path: LATEST, status: 200 }),

  of('listModules', { status: 200 }),
  {
    id: 'getModule',
    make: async scene => ({ path: { digest: `sha256:${await readDigest(scene)}` }, status: 200 }),
  },
  {
    id: 'getModuleReport',
    make: async scene => ({ path: { digest: await readDigest(scene) }, status: 200 }),
  },
  of('searchCatalogue', { query: { q: 'auth' }, status: 200 }),

  of('applyResource', {
    path: { type: 'clusters', namespace: 'default', name: 'app' },
    body: RESOURCE,
    query: { message },
    status: 201,
  }),
  of('applyResource', {
    path: { type: 'clusters', namespace: 'default', name: 'other' },
    body: RESOURCE,
    status: 422,
    code: 'name-mismatch',
  }),
  of('listResources', { status: 200 }),
  of('listResourcesOfType', { path: { type: 'clusters' }, query: { q: 'app' }, status: 200 }),
  of('getResource', { path: { type: 'clusters', namespace: 'default', name: 'app' }, status: 200 }),
  of('deleteResource', { path: { type: 'clusters', namespace: 'default', name: 'app' }, status: 202 }),

  of('applyPullSecret', {
    path: { namespace: 'default', name: 'registry' },
    body: PULL_SECRET,
    status: 201,
  }),
  of('listPullSecrets', { status: 200 }),
  of('getPullSecret', { path: { namespace: 'default', name: 'registry' }, status: 200 }),
  of('deletePullSecret', { path: { namespace: 'default', name: 'registry' }, status: 200 }),

  of('applyNodeGroup', {
    path: { namespace: 'default', name: 'edge' },
    body: {
      apiVersion: 'attache/v1',
      kind: 'NodeGroup',
      metadata: { name: 'edge' },
      spec: { nodes: ['edge-1'] },
    },
    status: 201,
  }),
  of('listNodeGroups', { status: 200 }),
  of('getNodeGroup', { path: { namespace: 'default', name: 'edge' }, status: 200 }),
  of('deleteNodeGroup', { path: { namespace: 'default', name: 'edge' }, status: 200 }),

  of('listNodes', { query: { labelSelector: '!none', q: 'edge' }, status: 200 }),
  of('getNode', { path: NODE, status: 200 }),
  {
    id: 'configureNode',
    make: async ({ attache, envoy }) => {
      await writeFile(
        join(attache.folder, 'edge.log'),
        '[2026-01-01 00:00:00.000][1][info][wasm] wasm log a: b\n',
      );
      const admin = `http://127.0.0.1:${envoy.adminPort}`;
      return { path: NODE, body: { admin, logFile: 'edge.log', message }, status: 200 };
    },
  },
  of('getNodeConfig', { path: NODE, query: { type: 'listeners' }, status: 200 }),
  of('getNodeBundle', { path: NODE, status: 200 }),
  of('excludeNode', { path: NODE, body: { message }, status: 200 }),
  of('includeNode', { path: NODE, query: { message }, status: 200 }),
  of('setNodeLogLevel', { path: NODE, body: { level: 'info' }, status: 200 }),
  of('getNodeLogLevel', { path: NODE, status: 200 }),
  of('getNodeLogs', { path: NODE, query: { lines: '5' }, status: 200 }),
  of('makeNodeToken', { path: NODE, status: 409, code: 'node-token-unused' }),

  of('getFreeze', { status: 200 }),
  of('freeze', { body: { message }, status: 200 }),
  of('excludeNode', { path: NODE, query: { dryRun: 'true' }, status: 200 }),
  of('deletePlugin', { path: PLUGIN, status: 423, code: 'frozen' }),
  of('unfreeze', { query: { message }, status: 200 }),

  of('createToken', { body: { name: 'ci', role: 'viewer' }, status: 201 }),
  of('createToken', { body: { name: 'ci', role: 'viewer' }, status: 409, code: 'token-exists' }),
  of('listTokens', { status: 200 }),
  of('getToken', { path: { name: 'ci' }, status: 200 }),
  of('revokeToken', { path: { name: 'ci' }, query: { message }, status: 200 }),

  of('applyWebhook', {
    path: { name: 'chat' },
    body: { url: 'https://hooks.example/attache', events: ['paused'] },
    status: 201,
  }),
  of('testWebhook', { path: { name: 'chat' }, query: { dryRun: 'true' }, status: 200 }),
  of('listWebhooks', { status: 200 }),
  of('getWebhook', { path: { name: 'chat' }, status: 200 }),
  of('deleteWebhook', { path: { name: 'chat' }, status: 200 }),

  of('listEvents', { query: { since: '1h', type: 'rollout', limit: '2' }, status: 200 }),
  of('listEvents', { headers: { accept: 'text/event-stream' }, status: 200 }),
  of('listEvents', { query: { since: 'yesterday' }, status: 400, code: 'bad-query' }),
  of('listAudit', { query: { limit: '5' }, status: 200 }),
  of('listAudit', { query: { format: 'jsonl' }, status: 200 }),
  of('verifyAudit', { status: 200 }),
  of('takeBackup', { query: { keys: 'false' }, status: 200 }),

  of('deletePlugin', { path: PLUGIN, query: { now: 'true', message }, status: 202 }),
  of('forgetNode', { path: NODE, status: 409, code: 'node-connected' }),
  of('revokeNode', { path: NODE, body: { message }, query: { dryRun: 'true' }, status: 200 }),
  {
    id: 'forgetNode',
    make: async ({ attache, envoy }) => {
      await envoy.stop();
      await until(
        async () => (await attache.must('GET', `/v1/nodes/${NODE.id}`)).status.state === 'Disconnected',
        { what: 'the node to be gone' },
      );
      return { path: NODE, query: { message }, status: 200 };
    },
  },
];
