/**
 * Whether a trial run says of a module what a real Envoy says, in both directions. The same over everything that the
 * compilers build, 20 MB of Go too, for who has them: test/interop/trial-agreement.test.ts.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { compiledCases } from '../fixtures/agreement/compiled.ts';
import { readCorpus, readCorpusIndex } from '../fixtures/agreement/corpus.ts';
import { toCases } from '../fixtures/agreement/corpus-module.ts';
import { handMadeCases } from '../fixtures/agreement/hand-made.ts';
import { SOURCES } from '../fixtures/agreement/toolchain.ts';
import { assertAgreement } from '../harness/agreement.ts';
import { takeCensus } from '../harness/agreement-census.ts';
import { E2E_VERSIONS } from '../harness/envoy-binary.ts';

for (const version of E2E_VERSIONS) {
  test(`Envoy ${version} and we agree on modules at the border of what it takes`, async t => {
    const cases = handMadeCases();
    assert.ok(cases.length >= 55);
    const { unsure } = await assertAgreement(t, cases, version);
    assert.deepEqual(unsure, ['property of the node', 'shared data']);
  });

  test(`Envoy ${version} and we agree on plugins from AssemblyScript`, async t => {
    const { unsure } = await assertAgreement(t, await compiledCases(), version);
    assert.deepEqual(
      unsure.map(name => name.split(' ')[0]),
      [
        'faulty/refuses-config',
        'faulty/slow-configure',
        'faulty/slow-to-load',
        'faulty/worker-only',
        'faulty/refuses-config',
      ],
    );
  });
}

// The releases between the two differ less: by hand they are compared too.
for (const version of new Set([E2E_VERSIONS[0], E2E_VERSIONS.at(-1)]))
  test(`Envoy ${version} and we agree on plugins from many compilers, half of them not ours`, async t => {
    const { loaded, refused, unsure } = await assertAgreement(t, toCases(readCorpus()), version ?? '');
    assert.ok(loaded >= 40, `${loaded} were loaded`);
    assert.ok(refused >= 10, `${refused} were not loaded`);
    assert.deepEqual(unsure, []);
  });

test('they are at least 40 modules from 5 toolchains, 10 of them of others, of every ABI and WASI', async t => {
  const census = takeCensus([...(await compiledCases()), ...toCases(readCorpus())]);
  t.diagnostic(census.table);
  assert.ok(census.modules >= 40);
  assert.ok(census.toolchains.length >= 5);
  assert.ok(census.byOthers >= 10);
  for (const abi of ['0.1.0', '0.2.0', '0.2.1']) assert.ok(census.abis.includes(abi), abi);
  assert.deepEqual(census.wasi, ['', 'wasi_snapshot_preview1', 'wasi_unstable']);
});

test('the corpus is what its index says, and its sources are those that it was built from', () => {
  const modules = readCorpus();
  for (const [i, { name, sha256, source, sourceSha256 }] of readCorpusIndex().entries()) {
    assert.equal(sha256Hex(modules[i]?.bytes ?? new Uint8Array()), sha256, name);
    if (sourceSha256 !== undefined)
      assert.equal(
        sha256Hex(readFileSync(join(SOURCES, source))),
        sourceSha256,
        `${name}: run build-corpus.ts`,
      );
  }
});
