import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { silentMeter } from '../../src/model/meter.ts';
import type { Log } from '../../src/model/ports.ts';
import type { PullSecret } from '../../src/model/pull-secret.ts';
import { startModuleReconciler } from '../../src/module/module-reconciler.ts';
import { createModulePlanner } from '../../src/module/plan-module.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import type { Kind } from '../../src/store/record-kinds.ts';
import { createSeal } from '../../src/store/seal.ts';
import { startApi } from '../api/api-client.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import {
  makeCache,
  makeDirectory,
  makeModule,
  random,
  SHORT_LIMITS,
  startRegistry,
  systemClock,
  testSeal,
} from '../module/actors.ts';

const PASSWORD = 'hunter2-correct-horse';
const WRONG = 'hunter2-wrong-battery';
/** Every way in which a password could be seen. */
const LEAK = new RegExp(
  [
    PASSWORD,
    WRONG,
    'hunter2',
    ...[PASSWORD, WRONG].map(one => Buffer.from(`ann:${one}`).toString('base64')),
  ].join('|'),
);

/** The API and the module stage over one store, and a registry that lets one user in. */
async function setUp(t: TestContext) {
  const wanted = `Basic ${Buffer.from(`ann:${PASSWORD}`).toString('base64')}`;
  let isLocked = false;
  const registry = await startRegistry(t, (request, response) => {
    if (!isLocked || request.headers.authorization === wanted) return false;
    response.writeHead(401, { 'www-authenticate': 'Basic realm="here"' }).end();
    return true;
  });
  const { host } = registry;
  const access = { insecureRegistries: [], dockerConfigPath: undefined };
  await pushModule({ ...access, bytes: makeModule('private'), reference: `${host}/team/auth:1` });
  isLocked = true;
  const store = createMemoryStore();
  const logged: string[] = [];
  const write = (fields: object, message: string) => void logged.push(`${JSON.stringify(fields)} ${message}`);
  const log: Log = { debug: write, info: write, warn: write, error: write };
  const cache = await makeCache(t);
  const sources = {
    insecureRegistries: () => [host],
    registries: [],
    allowPrivateHosts: [],
    meter: silentMeter,
    dockerConfigPath: join(await makeDirectory(t), 'none.json'),
    moduleDirectory: undefined,
    timeLimits: SHORT_LIMITS,
  };
  const common = { store, cache, sources, seal: testSeal, rootNamespace: 'istio-system', clock: systemClock };
  const planner = createModulePlanner(common);
  const api = await startApi(store, { seal: testSeal, log, planModule: planner.plan });
  const stage = await startModuleReconciler({ ...common, tagIntervalMs: undefined, random, log });
  stopAfter(t, {
    async stop() {
      await api.stop();
      await stage.stop();
      await planner.close();
      await store.close();
    },
  });
  const said: string[] = [];
  const call: typeof api.call = async (...request) => {
    const answer = await api.call(...request);
    said.push(JSON.stringify(answer.body));
    return answer;
  };
  const putPlugin = (spec: object = {}, namespace = 'default') =>
    call('PUT', `/v1/plugins/${namespace}/auth`, {
      apiVersion: 'attache/v1',
      kind: 'Plugin',
      metadata: { name: 'auth' },
      spec: { url: `oci://${host}/team/auth:1`, imagePullSecret: 'regcred', ...spec },
    });
  const putSecret = (password: string, namespace = 'default', auths?: object) =>
    call('PUT', `/v1/pullsecrets/${namespace}/regcred`, toDocument(host, password, auths));
  const reach = (state: string, code?: string, plugin = 'default/auth') =>
    until(
      async () => {
        const spec = await store.get('PluginSpec', plugin);
        const progress = (await store.get('ModuleProgress', plugin))?.value;
        const isIt = progress?.specRevision === spec?.revision && progress?.state === state;
        return isIt && progress.code === code ? progress : undefined;
      },
      { what: `${plugin} ${state} ${code ?? ''}` },
    );
  /** All that is stored, logged and answered. */
  const everything = async () => {
    const kinds: Kind[] = ['PluginSpec', 'PullSecret', 'Revision', 'ModuleProgress', 'Event', 'Rollout'];
    const stored = await Promise.all(kinds.map(kind => store.list(kind)));
    return [JSON.stringify(stored), ...logged, ...said].join('\n');
  };
  return { store, host, registry, call, putPlugin, putSecret, reach, everything };
}

function toDocument(host: string, password: string, auths?: object) {
  const auth = Buffer.from(`ann:${password}`).toString('base64');
  const config = JSON.stringify({ auths: auths ?? { [host]: { auth } } });
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'regcred' },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(config).toString('base64') },
  };
}

test('a plugin waits for its secret, and is fetched by itself once the right one is there', async t => {
  const { host, store, call, putPlugin, putSecret, reach, everything } = await setUp(t);
  await putPlugin();
  const missing = await reach('failed', 'pull-secret-missing');
  assert.equal(missing.pointer, '/spec/imagePullSecret');
  assert.match(missing.message ?? '', /default\/regcred/);

  const created = await putSecret(WRONG);
  assert.deepEqual([created.status, created.body.result], [201, 'created']);
  assert.deepEqual(created.body.status, { registries: [host], usedBy: ['default/auth'] });
  const wrong = await reach('failed', 'unauthorized');
  assert.match(wrong.message ?? '', /credentials of pull secret default\/regcred/);
  assert.match(wrong.hint ?? '', /apply it again/);

  assert.equal((await putSecret(PASSWORD)).body.result, 'configured');
  assert.equal((await reach('ready')).revision, 1);
  assert.equal((await putSecret(PASSWORD)).body.result, 'unchanged');

  const listed = await call('GET', '/v1/pullsecrets');
  assert.deepEqual(
    listed.body.items.map((one: { metadata: { name: string } }) => one.metadata.name),
    ['regcred'],
  );
  await call('GET', '/v1/pullsecrets/default/regcred');
  await call('GET', '/v1/plugins/default/auth');
  await call('GET', '/v1/events');
  const deleted = await call('DELETE', '/v1/pullsecrets/default/regcred');
  assert.match(deleted.body.text, /still named by default\/auth/);
  assert.equal((await call('GET', '/v1/pullsecrets/default/regcred')).status, 404);
  // What was fetched is known; that the secret is gone is told when the document changes.
  await putPlugin({ priority: 5 });
  await reach('failed', 'pull-secret-missing');
  assert.equal((await store.list('Revision')).records.length, 1);
  assert.doesNotMatch(await everything(), LEAK);
});

test('a secret is of its namespace, and of the hosts that it names', async t => {
  const { host, putPlugin, putSecret, reach, registry, everything } = await setUp(t);
  await putSecret(PASSWORD, 'other');
  await putPlugin();
  await reach('failed', 'pull-secret-missing');
  const asked = registry.requests.length;
  const elsewhere = { 'elsewhere.example': { auth: Buffer.from(`ann:${PASSWORD}`).toString('base64') } };
  await putSecret(PASSWORD, 'default', elsewhere);
  const lacking = await reach('failed', 'unauthorized');
  assert.match(lacking.message ?? '', new RegExp(`pull secret default/regcred has no entry for ${host}`));
  assert.ok(
    registry.requests.slice(asked).every(({ headers }) => headers.authorization === undefined),
    'nobody else’s credentials are shown',
  );
  assert.doesNotMatch(await everything(), LEAK);
});

test('plans use the secret too, and say when it is not there', async t => {
  const { host, call, putSecret } = await setUp(t);
  const document = {
    apiVersion: 'attache/v1',
    kind: 'Plugin',
    metadata: { name: 'auth' },
    spec: { url: `oci://${host}/team/auth:1`, imagePullSecret: 'regcred' },
  };
  const plan = async () => (await call('POST', '/v1/plans', document)).body.items[0];
  assert.equal((await plan()).problem.code, 'pull-secret-missing');
  await putSecret(PASSWORD);
  assert.deepEqual([(await plan()).problem, (await plan()).result], [null, 'created']);
});

test('a secret that was closed with another key is told apart from a wrong one', async t => {
  const { store, host, putPlugin, reach, putSecret } = await setUp(t);
  const foreign = createSeal(Buffer.alloc(32, 9), random);
  const value: PullSecret = {
    namespace: 'default',
    name: 'regcred',
    registries: [host],
    sealed: foreign.close('{}', 'PullSecret default/regcred'),
    by: 'admin',
    createdAt: 1,
  };
  await store.put('PullSecret', 'default/regcred', value);
  await putPlugin();
  await reach('failed', 'pull-secret-locked');
  assert.equal((await putSecret(PASSWORD)).body.result, 'configured');
  await reach('ready');
});

test('what is malformed is refused with its place and without its content; frozen is frozen', async t => {
  const { host, call, everything, store } = await setUp(t);
  const put = (body: unknown, path = '/v1/pullsecrets/default/regcred') => call('PUT', path, body);
  const broken = { ...toDocument(host, PASSWORD), data: { '.dockerconfigjson': PASSWORD } };
  const refused = await put(broken);
  assert.deepEqual([refused.status, refused.body.code], [422, 'wrong-type']);
  assert.equal(refused.body.errors[0].pointer, '/data/.dockerconfigjson');
  assert.equal((await put(toDocument(host, PASSWORD, {}))).status, 422);
  assert.equal((await put(`{"data": ${PASSWORD}`)).body.code, 'bad-json');
  assert.equal((await put({ ...toDocument(host, PASSWORD), type: 'Opaque' })).body.code, 'not-supported');
  const elsewhere = await put(toDocument(host, PASSWORD), '/v1/pullsecrets/default/another');
  assert.equal(elsewhere.body.code, 'name-mismatch');
  assert.equal(
    (await put(toDocument(host, PASSWORD), '/v1/pullsecrets/default/regcred?dryRun=true')).status,
    200,
  );
  await call('PUT', '/v1/freeze', { message: 'night' });
  assert.equal((await put(toDocument(host, PASSWORD))).status, 423);
  await call('DELETE', '/v1/freeze');
  assert.equal((await store.list('PullSecret')).records.length, 0);
  assert.equal((await call('DELETE', '/v1/pullsecrets/default/regcred')).status, 404);
  assert.doesNotMatch(await everything(), LEAK);
});
