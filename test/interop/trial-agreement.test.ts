/**
 * Whether a trial run says of a module what a real Envoy says, over all that compilers build here and now, 20 MB of Go
 * too, with every configuration. A compiler that is not installed is skipped by name. Over what was built before:
 * test/e2e/trial-agreement.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compiledCases } from '../fixtures/agreement/compiled.ts';
import { type CorpusModule, toCases } from '../fixtures/agreement/corpus-module.ts';
import { MissingTool } from '../fixtures/agreement/toolchain.ts';
import { TOOLCHAINS } from '../fixtures/agreement/toolchains.ts';
import { type AgreementCase, assertAgreement } from '../harness/agreement.ts';
import { takeCensus } from '../harness/agreement-census.ts';
import { E2E_VERSIONS } from '../harness/envoy-binary.ts';

/** The newest and the oldest: those between differ less. */
const VERSIONS = [...new Set([E2E_VERSIONS.at(0) ?? '', E2E_VERSIONS.at(-1) ?? ''])];
const compared: AgreementCase[] = [];
const missing: string[] = [];

for (const [name, build] of Object.entries(TOOLCHAINS))
  test(`every Envoy and we agree on what is built with ${name}`, { timeout: 1_800_000 }, async t => {
    const modules = await buildUnlessMissing(build);
    if (typeof modules === 'string') {
      missing.push(`${name}: ${modules}`);
      return t.skip(modules);
    }
    const cases = toCases(modules);
    let anywhere = 0;
    for (const version of VERSIONS) {
      t.diagnostic(`Envoy ${version}`);
      const { loaded, unsure } = await assertAgreement(t, cases, version);
      anywhere += loaded;
      assert.deepEqual(unsure, [], 'none asks for what only a node knows');
    }
    // What current Go builds imports a function that the oldest Envoy has not.
    assert.ok(anywhere >= 1, 'one at least is loaded');
    compared.push(...cases);
  });

test('what was compared is enough to believe it of others', async t => {
  const census = takeCensus([...(await compiledCases()), ...compared]);
  t.diagnostic(census.table);
  for (const one of missing) t.diagnostic(`not compared: ${one}`);
  // The C++ SDK is in no package: it alone may be missing.
  if (missing.some(one => !one.startsWith('C++ SDK'))) return t.skip('a compiler is missing');
  assert.ok(census.modules >= 50);
  assert.deepEqual(census.toolchains, ['AssemblyScript', 'Emscripten', 'Go', 'Rust', 'Zig', 'clang', 'wabt']);
  assert.ok(census.byOthers >= 20);
  for (const abi of ['0.1.0', '0.2.0', '0.2.1']) assert.ok(census.abis.includes(abi), abi);
  assert.deepEqual(census.wasi, ['', 'wasi_snapshot_preview1', 'wasi_unstable']);
  assert.ok((census.largestBytes.Go ?? 0) >= 20_000_000);
});

/** The modules, or what is missing. */
async function buildUnlessMissing(
  build: () => Promise<readonly CorpusModule[]>,
): Promise<readonly CorpusModule[] | string> {
  try {
    return await build();
  } catch (error) {
    if (error instanceof MissingTool) return error.message;
    throw error;
  }
}
