import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { silentMeter } from '../../src/model/meter.ts';
import type { NodeMetrics } from '../../src/model/node-metrics.ts';
import { type PluginSpec, sha256Hex } from '../../src/model/plugin-spec.ts';
import { silentLog } from '../../src/model/ports.ts';
import { hashRevision, toRevisionConfig } from '../../src/model/revision.ts';
import { startModuleReconciler } from '../../src/module/module-reconciler.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { startRolloutController } from '../../src/rollout/rollout-controller.ts';
import { LiveTable } from '../../src/store/live-table.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { buildWasm } from '../fixtures/wasm-builder.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { holds, until } from '../harness/wait.ts';
import { makeSpec } from '../model/records.ts';
import {
  makeCache,
  makeModule,
  random,
  SHORT_LIMITS,
  startRegistry,
  systemClock,
  testSeal,
  type WebServer,
} from '../module/actors.ts';

const PLUGIN = 'default/auth';
/** Real time, so short that a test sees several looks. */
const INTERVAL_MS = 100;

type Answer = Parameters<typeof startRegistry>[1];

/** The module and the rollout stage over one store, following tags of a registry that can be told to answer otherwise. */
async function setUp(t: TestContext, mirrorsOf: (host: string) => readonly string[] = () => []) {
  let answer: NonNullable<Answer> = () => false;
  const registry = await startRegistry(t, (request, response) => answer(request, response));
  const { host } = registry;
  const store = createMemoryStore();
  const mirrors = mirrorsOf(host);
  const common = { store, rootNamespace: 'istio-system', clock: systemClock, log: silentLog };
  const module = await startModuleReconciler({
    ...common,
    cache: await makeCache(t),
    sources: {
      insecureRegistries: () => [host, ...mirrors],
      registries: mirrors.length === 0 ? [] : [{ prefix: host, mirrors, insecure: false }],
      allowPrivateHosts: [],
      meter: silentMeter,
      dockerConfigPath: undefined,
      moduleDirectory: undefined,
      timeLimits: SHORT_LIMITS,
    },
    seal: testSeal,
    tagIntervalMs: INTERVAL_MS,
    random,
  });
  const rollout = await startRolloutController({
    ...common,
    format: 1,
    metrics: new LiveTable<NodeMetrics>(),
  });
  stopAfter(t, {
    async stop() {
      await module.stop();
      await rollout.stop();
      await store.close();
    },
  });
  const progress = async () => (await store.get('ModuleProgress', PLUGIN))?.value;
  const reach = (revision: number) =>
    until(async () => (await progress())?.state === 'ready' && (await progress())?.revision === revision, {
      what: `revision ${revision}`,
    });
  return {
    store,
    host,
    registry,
    progress,
    reach,
    apply: (spec: Partial<PluginSpec>) => store.put('PluginSpec', PLUGIN, makeSpec(spec)),
    push: (tag: string, bytes: Uint8Array, to = host) =>
      pushModule({
        bytes,
        reference: `${to}/auth:${tag}`,
        insecureRegistries: [],
        dockerConfigPath: undefined,
      }),
    setAnswer(next: NonNullable<Answer>) {
      answer = next;
    },
    trouble: (code: string) =>
      until(async () => ((await progress())?.tag?.code === code ? (await progress())?.tag : undefined), {
        what: `the tag not to be followed: ${code}`,
      }),
    noTrouble: () =>
      until(async () => (await progress())?.tag === undefined, { what: 'the tag to be followed again' }),
    eventTypes: async () =>
      (await store.list('Event')).records
        .map(({ value }) => value.type)
        .filter(type => type.startsWith('module.')),
    rollouts: async () => (await store.list('Rollout')).records.map(({ value }) => value),
  };
}

/** So many looks were taken since. */
function looks({ requests }: WebServer, tag = 'latest'): number {
  return requests.filter(({ line }) => line === `HEAD /v2/auth/manifests/${tag}`).length;
}

const nextLooks = (registry: WebServer, tag = 'latest', count = 2) => {
  const before = looks(registry, tag);
  return until(() => looks(registry, tag) >= before + count, { what: `${count} more looks at ${tag}` });
};

test('a tag that moves makes a revision and a rollout, and back again the old one', async t => {
  const world = await setUp(t);
  await world.push('latest', makeModule('one'));
  await world.apply({ url: `${world.host}/auth` });
  await world.reach(1);
  await nextLooks(world.registry);
  const gets = world.registry.requests.filter(({ line }) => line.startsWith('GET')).length;
  await nextLooks(world.registry);
  assert.equal(
    world.registry.requests.filter(({ line }) => line.startsWith('GET')).length,
    gets,
    'a look costs no pull',
  );
  await world.push('latest', makeModule('two'));
  await world.reach(2);
  await until(async () => (await world.rollouts()).some(({ to }) => to?.revision === 2), {
    what: 'a rollout to revision 2',
  });
  await world.push('latest', makeModule('one'));
  await world.reach(1);
  assert.equal((await world.store.list('Revision')).records.length, 2);
  assert.equal((await world.eventTypes()).filter(type => type === 'module.tag-moved').length, 2);
  const entries = (await world.store.list('AuditEntry')).records.map(({ value }) => value);
  const decided = entries.filter(({ action }) => action.startsWith('module.'));
  assert.deepEqual(
    decided.map(({ actor, action }) => `${actor} ${action}`),
    ['ready', 'tag-moved', 'ready', 'tag-moved'].map(what => `attache module.${what}`),
  );
  assert.deepEqual(
    decided[1]?.changes.map(({ record }) => record),
    ['ModuleProgress', 'Revision'],
  );
});

test('the default of Istio: latest and no tag are followed, others, digests and pins are not', async t => {
  const world = await setUp(t);
  const { manifestDigest } = await world.push('1', makeModule('one'));
  await world.push('latest', makeModule('one'));
  const sha256 = manifestDigest.slice('sha256:'.length);
  const still: readonly Partial<PluginSpec>[] = [
    { url: `${world.host}/auth:1` },
    { url: `${world.host}/auth:latest`, imagePullPolicy: 'IfNotPresent' },
    { url: `${world.host}/auth:latest@${manifestDigest}`, imagePullPolicy: 'Always' },
    { url: `${world.host}/auth:latest`, sha256, imagePullPolicy: 'Always' },
  ];
  for (const [i, spec] of still.entries())
    await world.store.put('PluginSpec', `default/p${i}`, { ...makeSpec(spec), name: `p${i}` });
  await world.store.put('PluginSpec', 'default/old', {
    ...makeSpec({ url: `${world.host}/auth:latest` }),
    name: 'old',
    deleted: { at: 1, by: 'admin', now: false },
  });
  for (const i of still.keys())
    await until(
      async () => (await world.store.get('ModuleProgress', `default/p${i}`))?.value.state === 'ready',
      {
        what: `p${i}`,
      },
    );
  await world.apply({ url: `${world.host}/auth:1`, imagePullPolicy: 'Always' });
  await world.reach(1);
  await nextLooks(world.registry, '1', 3);
  assert.equal(looks(world.registry), 0, 'latest was looked up by nobody');
});

test('a registry that is away changes nothing, and is told once, as is its return', async t => {
  const world = await setUp(t);
  await world.push('latest', makeModule('one'));
  await world.apply({ url: `${world.host}/auth` });
  await world.reach(1);
  const rollouts = (await world.rollouts()).length;
  world.setAnswer((_request, response) => {
    response.writeHead(503).end();
    return true;
  });
  const trouble = await world.trouble('registry-error');
  assert.ok(trouble.message && trouble.hint);
  const since = trouble.since;
  await nextLooks(world.registry, 'latest', 3);
  const progress = await world.progress();
  assert.deepEqual([progress?.state, progress?.revision, progress?.tag?.since], ['ready', 1, since]);
  world.setAnswer(() => false);
  await world.noTrouble();
  assert.deepEqual(
    (await world.eventTypes()).filter(type => type.includes('tag')),
    ['module.tag-failed', 'module.tag-followed'],
  );
  assert.equal((await world.rollouts()).length, rollouts);
});

test('what a tag moved to and cannot be used is told, not taken, and not fetched again', async t => {
  const world = await setUp(t);
  await world.push('latest', makeModule('one'));
  await world.apply({ url: `${world.host}/auth` });
  await world.reach(1);
  await world.push('latest', buildWasm({ exports: [] }));
  await world.trouble('no-proxy-abi');
  const gets = () => world.registry.requests.filter(({ line }) => line.startsWith('GET')).length;
  const before = gets();
  await nextLooks(world.registry, 'latest', 3);
  assert.equal(gets(), before);
  assert.deepEqual([(await world.progress())?.state, (await world.progress())?.revision], ['ready', 1]);
  await world.push('latest', makeModule('two'));
  await world.reach(2);
  assert.equal((await world.progress())?.tag, undefined);
});

test('content that is held back is not tried because a tag leads to it', async t => {
  const world = await setUp(t);
  const bytes = makeModule('bad for nodes');
  await world.push('latest', makeModule('one'));
  const url = `${world.host}/auth`;
  await world.apply({ url });
  await world.reach(1);
  await until(async () => (await world.rollouts()).some(({ phase }) => phase === 'Succeeded'), {
    what: 'revision 1 to be the base',
  });
  const contentHash = hashRevision(sha256Hex(bytes), toRevisionConfig(makeSpec({ url })));
  const text = 'was refused by edge-1';
  const held = { plugin: PLUGIN, contentHash, revision: 2, rollout: 'default.auth.9', text, at: 1 };
  await world.store.put('Quarantine', `${PLUGIN}/${contentHash}`, { ...held, cause: 'refused' });
  await world.push('latest', bytes);
  await world.reach(2);
  await until(
    async () =>
      (await world.store.list('Event')).records.some(({ value }) => value.type === 'rollout.held-back'),
    { what: 'it to be said' },
  );
  await nextLooks(world.registry, 'latest', 3);
  assert.equal((await world.rollouts()).length, 1, 'no rollout to it');
  assert.equal((await world.store.get('Assignment', PLUGIN))?.value.base.revision, 1);
});

test('the same module under another manifest is not fetched at every look', async t => {
  const world = await setUp(t);
  await world.push('latest', makeModule('one'));
  await world.apply({ url: `${world.host}/auth` });
  await world.reach(1);
  const first = (await world.progress())?.found?.digest;
  await pushModule({
    bytes: makeModule('one'),
    reference: `${world.host}/auth:latest`,
    insecureRegistries: [],
    dockerConfigPath: undefined,
    annotations: { 'org.example.build': '2' },
  });
  await until(async () => (await world.progress())?.found?.digest !== first, {
    what: 'the new manifest to be known',
  });
  const gets = () => world.registry.requests.filter(({ line }) => line.startsWith('GET')).length;
  const before = gets();
  await nextLooks(world.registry, 'latest', 3);
  assert.equal(gets(), before);
  assert.equal((await world.progress())?.revision, 1);
});

test('a registry that knows no HEAD is asked for the manifest', async t => {
  const world = await setUp(t);
  world.setAnswer((request, response) => {
    if (request.method === 'HEAD' && request.url?.endsWith('/latest')) response.writeHead(405).end();
    return response.headersSent;
  });
  await world.push('latest', makeModule('one'));
  await world.apply({ url: `${world.host}/auth` });
  await world.reach(1);
  await world.push('latest', makeModule('two'));
  await world.reach(2);
});

test('a mirror that lags behind does not move a fleet to and fro as it comes and goes', async t => {
  let isAway = false;
  const mirror = await startRegistry(t, (_request, response) => {
    if (isAway) response.writeHead(503).end();
    return isAway;
  });
  const world = await setUp(t, () => [mirror.host]);
  await world.push('latest', makeModule('stale'), mirror.host);
  await world.push('latest', makeModule('fresh'));
  await world.apply({ url: `${world.host}/auth` });
  await world.reach(1);
  const revision = (await world.store.list('Revision')).records[0]?.value;
  assert.deepEqual(
    [revision?.module.sha256, revision?.module.mirror],
    [sha256Hex(makeModule('stale')), `${mirror.host}/auth`],
  );
  isAway = true;
  await world.trouble('registry-error');
  await holds(async () => (await world.store.list('Revision')).records.length === 1, {
    what: 'no revision from elsewhere',
    forMs: 4 * INTERVAL_MS,
  });
  isAway = false;
  await world.noTrouble();
  await world.push('latest', makeModule('newer'), mirror.host);
  await world.reach(2);
});
