import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentMeter } from '../../src/model/meter.ts';
import { type PluginSpec, toPullPolicy } from '../../src/model/plugin-spec.ts';
import { silentLog } from '../../src/model/ports.ts';
import type { ModuleFacts, Revision } from '../../src/model/revision.ts';
import { loadModuleKeys } from '../../src/module/module-keys.ts';
import { startModuleReconciler } from '../../src/module/module-reconciler.ts';
import { findKnownModule, planRevision } from '../../src/module/plan-revision.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { FakeClock } from '../store/fake-clock.ts';
import { makeCache, random, SHORT_LIMITS, testSeal } from './actors.ts';

const URL_1 = 'oci://h.example/auth:1';
const spec = (more: Partial<PluginSpec> = {}): PluginSpec => ({
  namespace: 'default',
  name: 'auth',
  url: URL_1,
  createdAt: 1,
  ...more,
});
const module = (hex: string, more: Partial<ModuleFacts> = {}): ModuleFacts => ({
  sha256: hex.repeat(64),
  sizeBytes: 1,
  url: URL_1,
  referenceDigest: `sha256:${'f'.repeat(64)}`,
  manifestDigest: `sha256:${'e'.repeat(64)}`,
  layout: 'cncf',
  abi: '0.2.1',
  importCount: 0,
  ...more,
});

function plan(known: readonly Revision[], of: PluginSpec, facts: ModuleFacts) {
  return planRevision('default/auth', of, facts, known, 7);
}

test('new content gets the next number, the same content its old one', () => {
  const one = plan([], spec(), module('a')).revision;
  const two = plan([one], spec({ pluginConfig: { x: 1 } }), module('a')).revision;
  const three = plan([one, two], spec(), module('b')).revision;
  assert.deepEqual([one.number, two.number, three.number], [1, 2, 3]);
  assert.equal(one.configHash, three.configHash);
  const again = plan(
    [one, two, three],
    spec({ message: 'other words', selector: { matchLabels: {} } }),
    module('a'),
  );
  assert.deepEqual(again, { revision: one, isNew: false });
  // Numbers are never used twice, though earlier revisions may be gone.
  assert.equal(plan([three], spec({ priority: 1 }), module('b')).revision.number, 4);
});

test('the pull policy: Always for latest and for no tag, never for a digest', () => {
  const at = `@sha256:${'a'.repeat(64)}`;
  const cases: readonly [string, PluginSpec['imagePullPolicy'], string][] = [
    ['h.example/a:1', undefined, 'IfNotPresent'],
    ['h.example/a:latest', undefined, 'Always'],
    ['h.example/a', undefined, 'Always'],
    ['h.example:5000/a', undefined, 'Always'],
    ['h.example/a:latest', 'IfNotPresent', 'IfNotPresent'],
    ['h.example/a:1', 'Always', 'Always'],
    [`h.example/a${at}`, 'Always', 'IfNotPresent'],
    ['https://h.example/a.wasm', undefined, 'IfNotPresent'],
    ['https://h.example/a.wasm', 'Always', 'Always'],
  ];
  for (const [url, imagePullPolicy, expected] of cases)
    assert.equal(
      toPullPolicy(spec({ url, ...(imagePullPolicy === undefined ? {} : { imagePullPolicy }) })),
      expected,
      url,
    );
});

test('known is what this plugin resolved last for the same URL and pin', () => {
  const old = plan([], spec(), module('a')).revision;
  const newer = plan([old], spec({ priority: 2 }), module('b')).revision;
  assert.equal(findKnownModule(spec(), [old, newer])?.sha256, newer.module.sha256);
  assert.equal(findKnownModule(spec({ url: 'oci://h.example/auth:2' }), [old, newer]), undefined);
  assert.equal(findKnownModule(spec({ imagePullPolicy: 'Always' }), [old, newer]), undefined);
  for (const hex of ['e', 'f']) assert.ok(findKnownModule(spec({ sha256: hex.repeat(64) }), [old]));
  assert.equal(findKnownModule(spec({ sha256: 'a'.repeat(64) }), [old]), undefined);
  const web = { url: 'https://h.example/a.wasm' };
  const fromWeb = plan([], spec(web), module('a', web)).revision;
  assert.ok(findKnownModule(spec({ ...web, sha256: 'a'.repeat(64) }), [fromWeb]));
  assert.equal(findKnownModule(spec({ ...web, sha256: 'e'.repeat(64) }), [fromWeb]), undefined);
});

test('the keys of module URLs are made once and stay', async () => {
  const store = createMemoryStore();
  const first = await loadModuleKeys(store, random);
  assert.equal(first.current.length, 32);
  assert.deepEqual(first.accepted, [first.current]);
  assert.deepEqual(await loadModuleKeys(store, random), first);
  await store.put('ModuleKey', 'previous', { hex: 'ab'.repeat(32) });
  const { current, accepted } = await loadModuleKeys(store, random);
  assert.deepEqual(accepted, [current, Buffer.from('ab'.repeat(32), 'hex')]);
  await store.close();
});

test('after an hour of trying an unreachable source counts as final', async t => {
  const store = createMemoryStore();
  stopAfter(t, { stop: () => store.close() });
  const clock = new FakeClock();
  const sources = {
    insecureRegistries: () => ['127.0.0.1:1'],
    registries: [],
    allowPrivateHosts: [],
    meter: silentMeter,
    dockerConfigPath: undefined,
    moduleDirectory: undefined,
    timeLimits: SHORT_LIMITS,
  };
  const cache = await makeCache(t);
  const options = {
    store,
    cache,
    sources,
    seal: testSeal,
    tagIntervalMs: undefined,
    rootNamespace: 'istio-system',
    clock,
    random,
    log: silentLog,
  };
  stopAfter(t, await startModuleReconciler(options));
  await store.put('PluginSpec', 'default/auth', spec({ url: '127.0.0.1:1/auth:1' }));
  const stateOf = async () => (await store.get('ModuleProgress', 'default/auth'))?.value;
  await until(async () => (await stateOf())?.state === 'retrying', { what: 'the first failure' });
  const since = (await stateOf())?.since;
  await until(
    async () => {
      clock.advance(61_000);
      return (await stateOf())?.state === 'failed';
    },
    { what: 'the last failure', everyMs: 5 },
  );
  assert.equal((await stateOf())?.code, 'registry-unreachable');
  assert.ok(clock.now() - (since ?? 0) >= 3_600_000);
  assert.equal(clock.pending, 0);
});
