/**
 * Whether a trial run says of a module what a real Envoy says, over compilers that are to be installed first; a test
 * whose compiler is missing fails and names it. Modules that need none: test/e2e/trial-agreement.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cCases, cppCases, goCases, watCases } from '../fixtures/agreement/native-cases.ts';
import { rustCases } from '../fixtures/agreement/rust-cases.ts';
import { assertAgreement } from '../harness/agreement.ts';
import { E2E_VERSIONS } from '../harness/envoy-binary.ts';

const CORPUS = { C: cCases, 'C++': cppCases, WAT: watCases, Go: goCases, Rust: rustCases };

for (const [language, build] of Object.entries(CORPUS))
  for (const version of E2E_VERSIONS)
    test(`Envoy ${version} and we agree on plugins in ${language}`, { timeout: 1_200_000 }, async t => {
      const { loaded, refused, unsure } = await assertAgreement(t, await build(), version);
      // The examples of the Rust crate take any configuration.
      const isTelling = loaded >= 2 && (refused >= 2 || language === 'Rust');
      assert.ok(isTelling, `${loaded} were loaded and ${refused} were not: that compares little`);
      assert.deepEqual(unsure, [], 'none asks for what only a node knows');
    });
