/**
 * Whether a trial run says of a module what a real Envoy says, in both directions. Modules of compilers that not every
 * machine has: test/interop/trial-agreement.test.ts.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compiledCases } from '../fixtures/agreement/compiled.ts';
import { handMadeCases } from '../fixtures/agreement/hand-made.ts';
import { assertAgreement } from '../harness/agreement.ts';
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
