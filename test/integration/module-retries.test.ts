import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { type TestContext, test } from 'node:test';
import { silentMeter } from '../../src/model/meter.ts';
import { type PluginSpec, toPluginName } from '../../src/model/plugin-spec.ts';
import { silentLog } from '../../src/model/ports.ts';
import { startModuleReconciler } from '../../src/module/module-reconciler.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { holds, until } from '../harness/wait.ts';
import { makeSpec } from '../model/records.ts';
import {
  makeCache,
  makeModule,
  random,
  SHORT_LIMITS,
  startRegistry,
  startWeb,
  systemClock,
  testSeal,
} from '../module/actors.ts';

/** The module stage over a store. */
async function setUp(t: TestContext, hosts: readonly string[]) {
  const store = createMemoryStore();
  const stage = await startModuleReconciler({
    store,
    cache: await makeCache(t),
    sources: {
      insecureRegistries: () => hosts,
      registries: [],
      allowPrivateHosts: [],
      meter: silentMeter,
      dockerConfigPath: undefined,
      moduleDirectory: undefined,
      timeLimits: SHORT_LIMITS,
    },
    seal: testSeal,
    tagIntervalMs: undefined,
    rootNamespace: 'istio-system',
    clock: systemClock,
    random,
    log: silentLog,
  });
  stopAfter(t, {
    async stop() {
      await stage.stop();
      await store.close();
    },
  });
  const apply = async (spec: Partial<PluginSpec>) => {
    const value = makeSpec(spec);
    await store.put('PluginSpec', toPluginName(value), value);
    return toPluginName(value);
  };
  const progressOf = async (plugin: string) => (await store.get('ModuleProgress', plugin))?.value;
  const reach = (plugin: string, state: string) =>
    until(async () => ((await progressOf(plugin))?.state === state ? progressOf(plugin) : undefined), {
      what: `${plugin} ${state}`,
    });
  return { store, apply, reach, progressOf };
}

const push = (host: string, name: string, bytes: Uint8Array) =>
  pushModule({ bytes, reference: `${host}/${name}`, insecureRegistries: [], dockerConfigPath: undefined });

test('what may heal is tried again: a hang-up, 503, a cut body, and 429 when it says so', async t => {
  const times: number[] = [];
  const bytes = makeModule('heals');
  const faults: ((response: ServerResponse) => void)[] = [
    response => void response.socket?.destroy(),
    response => void response.writeHead(503).end(),
    response => {
      response.writeHead(200, { 'content-length': 1_000 });
      response.write('{', () => response.destroy());
    },
    response => void response.writeHead(429, { 'retry-after': '2' }).end(),
  ];
  let isUp = true;
  const { host } = await startRegistry(t, (request, response) => {
    if (isUp || !request.url?.includes('/manifests/')) return false;
    times.push(performance.now());
    const fault = faults.shift();
    fault?.(response);
    return fault !== undefined;
  });
  await push(host, 'auth:1', bytes);
  isUp = false;
  const { apply, reach } = await setUp(t, [host]);
  await reach(await apply({ url: `${host}/auth:1` }), 'ready');
  assert.equal(times.length, 5);
  const waits = times.slice(1).map((time, i) => time - (times[i] ?? 0));
  // 250 ms doubled each time, the upper half of it by chance; a timer may be early by a millisecond.
  for (const [i, atLeast] of [125, 250, 500, 2_000].entries())
    assert.ok((waits[i] ?? 0) >= atLeast - 2, `wait ${i + 1}: ${waits[i]} ms`);
});

test('a wrong digest, 401 and 404 are asked for once', async t => {
  const cases: readonly [string, (response: ServerResponse) => void][] = [
    ['wrong-digest', response => void response.end('{}')],
    ['unauthorized', response => void response.writeHead(401).end()],
    ['denied', response => void response.writeHead(403).end()],
    ['module-not-found', response => void response.writeHead(404).end()],
  ];
  const worlds = await Promise.all(
    cases.map(async ([code, answer], i) => {
      const web = await startWeb(t, (_request, response) => answer(response));
      return { code, web, name: `p${i}` };
    }),
  );
  const world = await setUp(
    t,
    worlds.map(({ web }) => web.host),
  );
  for (const { web, name } of worlds)
    await world.apply({ name, url: `${web.host}/auth@sha256:${'1'.repeat(64)}` });
  for (const { code, name } of worlds)
    assert.equal((await world.reach(`default/${name}`, 'failed'))?.code, code);
  await holds(() => worlds.every(({ web }) => web.requests.length === 1), {
    what: 'one request each',
    forMs: 700,
  });
});

test('a host that does not answer keeps no plugin of another host waiting', async t => {
  const silent = await startWeb(t, () => {});
  const { host } = await startRegistry(t);
  await push(host, 'auth:1', makeModule('prompt'));
  const { apply, reach, progressOf } = await setUp(t, [host, silent.host]);
  for (let i = 0; i < 12; i++) await apply({ name: `silent-${i}`, url: `${silent.host}/auth:${i}` });
  await until(() => silent.requests.length >= 4, { what: 'the silent one to be asked by four' });
  await reach(await apply({ name: 'prompt', url: `${host}/auth:1` }), 'ready');
  assert.equal(silent.requests.length, 4, 'four at once');
  assert.equal((await progressOf('default/silent-11'))?.state, 'resolving');
});
