/** Artifacts that must not become revisions, through the module stage, from a registry: each has its code. */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { silentLog } from '../../src/model/ports.ts';
import type { ModuleProgress } from '../../src/model/revision.ts';
import { startModuleReconciler } from '../../src/module/module-reconciler.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { until } from '../harness/wait.ts';
import { makeCache, random, sourceOptions, startWeb, systemClock, testSeal } from '../module/actors.ts';
import { BAD_ARCHIVES } from '../module/bad-artifacts/archives.ts';
import { Artifact, type BadArtifact, serveArtifacts } from '../module/bad-artifacts/artifact.ts';
import { BAD_LAYERS } from '../module/bad-artifacts/layers.ts';
import { BAD_MANIFESTS } from '../module/bad-artifacts/manifests.ts';
import { BAD_MODULES } from '../module/bad-artifacts/modules.ts';

const GROUPS = {
  'manifests and indexes': BAD_MANIFESTS,
  'layers and blobs': BAD_LAYERS,
  archives: BAD_ARCHIVES,
  modules: BAD_MODULES,
};

for (const [name, group] of Object.entries(GROUPS))
  test(`${group.length} bad ${name}: each is refused with its code, a message and a next step`, async t => {
    const progress = await tryAll(t, group);
    const found = group.map(({ name: of }, index) => [of, progress[index]?.code]);
    assert.deepEqual(
      found,
      group.map(({ name: of, code }) => [of, code]),
    );
    for (const [index, { message = '', hint = '' }] of progress.entries()) {
      assert.ok(message.length > 10 && hint.length > 10, `${group[index]?.name}: ${message} ${hint}`);
      assert.ok(message.length < 5_000, `${group[index]?.name}: its message is endless`);
    }
  });

test('no two bad artifacts have one name', () => {
  const names = Object.values(GROUPS).flatMap(group => group.map(({ name }) => name));
  assert.equal(new Set(names).size, names.length);
  assert.ok(names.length >= 60);
});

/** How far the module stage gets with a plugin for each. */
async function tryAll(t: TestContext, group: readonly BadArtifact[]) {
  const artifacts = group.map(() => new Artifact());
  const { host } = await startWeb(t, serveArtifacts(artifacts));
  const store = createMemoryStore();
  const { clock: _clock, ...sources } = sourceOptions([host]);
  for (const [index, { build, sha256 }] of group.entries()) {
    const answer = build(artifacts[index] ?? new Artifact());
    const suffix = typeof answer === 'string' ? answer : ':1';
    const name = `bad-${index}`;
    await store.put('PluginSpec', `default/${name}`, {
      namespace: 'default',
      name,
      url: `oci://${host}/bad/${index}${suffix}`,
      createdAt: 1,
      ...(sha256 === undefined ? {} : { sha256 }),
    });
  }
  const stage = await startModuleReconciler({
    store,
    seal: testSeal,
    tagIntervalMs: undefined,
    cache: await makeCache(t),
    sources,
    rootNamespace: 'istio-system',
    clock: systemClock,
    random,
    log: silentLog,
  });
  stopAfter(t, stage);
  const settled = async (): Promise<readonly ModuleProgress[] | undefined> => {
    const progress = await Promise.all(
      group.map((_, index) => store.get('ModuleProgress', `default/bad-${index}`)),
    );
    const known = progress.flatMap(one =>
      one !== undefined && one.value.state !== 'resolving' ? [one.value] : [],
    );
    return known.length === group.length ? known : undefined;
  };
  const progress = await until(settled, { what: 'all of them to be judged', deadlineMs: 150_000 });
  return progress;
}
