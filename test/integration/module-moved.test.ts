/** A plugin whose document names another place for the bytes that it has: that place counts from then on. */
import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type PluginSpec, sha256Hex, toPluginName } from '../../src/model/plugin-spec.ts';
import { silentLog } from '../../src/model/ports.ts';
import { startModuleKeeper } from '../../src/module/bring-back.ts';
import { startModuleReconciler } from '../../src/module/module-reconciler.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import {
  makeDirectory,
  makeModule,
  openTestCache,
  random,
  sourceOptions,
  startRegistry,
  systemClock,
  testSeal,
} from '../module/actors.ts';

const PLUGIN = 'default/auth';
const [ONE, TWO] = [makeModule('one'), makeModule('two')];

const push = (reference: string, bytes: Uint8Array) =>
  pushModule({ bytes, reference, insecureRegistries: [], dockerConfigPath: undefined });

/** The module stage over a store. */
async function setUp(t: TestContext, hosts: readonly string[]) {
  const directory = join(await makeDirectory(t), 'modules');
  const store = createMemoryStore();
  const { clock: _clock, ...sources } = sourceOptions(hosts);
  const cache = await openTestCache(directory);
  const options = { store, cache, sources, seal: testSeal, clock: systemClock, random, log: silentLog };
  stopAfter(
    t,
    await startModuleReconciler({ ...options, tagIntervalMs: undefined, rootNamespace: 'system' }),
  );
  return {
    store,
    options,
    blobPath: (bytes: Uint8Array) => join(directory, 'blobs', 'sha256', sha256Hex(bytes)),
    /** Applies it, and gives the module of the revision that it led to. */
    apply: async (spec: Partial<PluginSpec> & { readonly url: string }) => {
      const value: PluginSpec = { namespace: 'default', name: 'auth', createdAt: 1, ...spec };
      const written = await store.put('PluginSpec', toPluginName(value), value);
      const number = await until(
        async () => {
          const progress = (await store.get('ModuleProgress', PLUGIN))?.value;
          const isIt = progress?.state === 'ready' && progress.specRevision === written;
          return isIt ? progress.revision : undefined;
        },
        { what: `a revision for ${spec.url}` },
      );
      const { records } = await store.list('Revision', `${PLUGIN}/`);
      return records.find(({ value }) => value.number === number)?.value.module;
    },
  };
}

test('a revision that is found again elsewhere tells that place, and is no new one', async t => {
  const { host } = await startRegistry(t);
  await push(`${host}/auth:1`, ONE);
  const { manifestDigest } = await push(`${host}/team/auth:7`, ONE);
  const { apply, store } = await setUp(t, [host]);
  await apply({ url: `${host}/auth:1` });
  const module = await apply({ url: `${host}/team/auth:7` });
  assert.deepEqual([module?.url, module?.manifestDigest], [`${host}/team/auth:7`, manifestDigest]);
  const events = (await store.list('Event')).records.map(({ value }) => value.type);
  assert.deepEqual(events, ['module.ready']);
});

test('IfNotPresent holds for the URL that the document has now: a tag that moves later changes nothing', async t => {
  const { host } = await startRegistry(t);
  await push(`${host}/auth:1`, ONE);
  await push(`${host}/auth:2`, ONE);
  const { apply } = await setUp(t, [host]);
  await apply({ url: `${host}/auth:1` });
  await apply({ url: `${host}/auth:2` });
  await push(`${host}/auth:2`, TWO);
  const module = await apply({ url: `${host}/auth:2`, pluginConfig: { n: 1 } });
  assert.equal(module?.sha256, sha256Hex(ONE), 'other bytes came with a change of the configuration');
});

test('a lost module comes back from where the document has it, though its first place is gone', async t => {
  let isGone = false;
  const first = await startRegistry(t, (_request, response) => {
    if (isGone) response.writeHead(404).end();
    return isGone;
  });
  const second = await startRegistry(t);
  for (const { host } of [first, second]) await push(`${host}/auth:1`, ONE);
  const { apply, store, options, blobPath } = await setUp(t, [first.host, second.host]);
  await apply({ url: `${first.host}/auth:1` });
  await apply({ url: `${second.host}/auth:1` });
  isGone = true;
  const keeper = startModuleKeeper(options);
  stopAfter(t, keeper);
  await rm(blobPath(ONE));
  keeper.bring(sha256Hex(ONE));
  const outcome = await until(
    async () =>
      (await store.list('Event')).records.find(({ value }) => /^module\.(lost|restored)$/.test(value.type)),
    { what: 'the outcome' },
  );
  assert.equal(outcome.value.type, 'module.restored', outcome.value.message);
});
