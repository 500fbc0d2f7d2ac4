/** Whether our host answers a plugin's calls as Envoy does: modules that trap on the first answer that differs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hostResultCases } from '../fixtures/agreement/host-results.ts';
import { assertAgreement } from '../harness/agreement.ts';
import { E2E_VERSIONS } from '../harness/envoy-binary.ts';

for (const version of E2E_VERSIONS)
  for (const abi of ['0.1.0', '0.2.1'] as const)
    test(`Envoy ${version} and our host give the same answers to a plugin of ABI ${abi}`, async t => {
      const cases = hostResultCases(version, abi);
      const { loaded } = await assertAgreement(t, cases, version);
      assert.equal(loaded, cases.length);
      assert.ok(cases.length >= 4);
    });
