import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ModuleSignature } from '../../src/model/module-signature.ts';
import { findDemands, type SignaturePolicy } from '../../src/model/signature-policy.ts';
import { parseSignaturePolicy } from '../../src/model/signature-policy-document.ts';
import { findSignatureRefusal, judgeRecorded } from '../../src/model/signature-standing.ts';
import { makeSigner, type Signer } from '../module/signature/signing.ts';

const [first, second] = [makeSigner('p256'), makeSigner('ed25519')];
const url = 'oci://registry.example/team/auth:1';
const digest = `sha256:${'a'.repeat(64)}`;

function policyOf(mode: 'require' | 'warn' | 'off', ...signers: readonly Signer[]): SignaturePolicy {
  const policy = parseSignaturePolicy(
    {
      authorities: [{ name: 'release', keys: signers.map(({ pem }) => pem) }],
      rules: [{ pattern: '**', mode, authorities: ['release'] }],
    },
    () => assert.fail('no file is to be read'),
  );
  assert.ok(!Array.isArray(policy), JSON.stringify(policy));
  return policy;
}

function demandsOf(policy: SignaturePolicy, verificationKey?: string) {
  const asked = findDemands(policy, { url, verificationKey });
  assert.ok(typeof asked !== 'string', String(asked));
  return asked;
}

/** As it was recorded when this policy was held against it. */
function record(policy: SignaturePolicy, over: Partial<ModuleSignature>): ModuleSignature {
  return { state: 'unsigned', by: [], refused: false, policy: demandsOf(policy).hash, checkedAt: 1, ...over };
}

function proofOf({ named }: Signer, of = digest): ModuleSignature['by'][number] {
  const { fingerprint } = named.key;
  return { authority: 'release', fingerprint, signed: 'manifest', digest: of, format: 'bundle' };
}

const refusal = (
  policy: SignaturePolicy,
  signature: ModuleSignature | undefined,
  verificationKey?: string,
): string | undefined =>
  findSignatureRefusal(policy, verificationKey, {
    url,
    manifestDigest: digest,
    ...(signature === undefined ? {} : { signature }),
  });

test('what was verified for what is asked may go, and what was refused may not, without a registry', () => {
  const policy = policyOf('require', first);
  assert.equal(refusal(policy, record(policy, { state: 'verified', by: [proofOf(first)] })), undefined);
  assert.equal(
    refusal(policy, record(policy, { refused: true, why: 'release asked' })),
    'not signed: release asked',
  );
});

test('only what is required is in the way', () => {
  for (const mode of ['warn', 'off'] as const) {
    const policy = policyOf(mode, first);
    assert.equal(refusal(policy, undefined), undefined);
    assert.equal(refusal(policy, record(policyOf('require', first), { refused: true })), undefined);
  }
});

test('what was found for another policy, or before there was one, is no leave', () => {
  const policy = policyOf('require', first);
  assert.match(refusal(policy, undefined) ?? '', /^not checked yet/);
  assert.match(refusal(policy, record(policyOf('warn', second), {})) ?? '', /^not checked yet/);
  const unchecked = record(policy, { state: 'unchecked', policy: 'unchecked', why: 'it does not answer' });
  assert.equal(refusal(policy, unchecked), 'not checked: it does not answer');
});

test("a plugin's own key is required too, and one that nobody knows lets nothing through", () => {
  const none = policyOf('off', first);
  const verified = record(policyOf('require', first), { state: 'verified', by: [proofOf(first)] });
  assert.equal(refusal(none, verified, first.pem), undefined);
  assert.match(refusal(none, verified, second.pem) ?? '', /^not checked yet/);
  assert.match(refusal(none, verified, 'nobody') ?? '', /does not know/);
});

test('another key beside the one that signed, or another name of it: what was verified is enough', () => {
  const verified = record(policyOf('require', first), { state: 'verified', by: [proofOf(first)] });
  const asked = demandsOf(policyOf('require', second, first));
  const judged = judgeRecorded(asked, { url, manifestDigest: digest, signature: verified });
  assert.deepEqual([judged?.state, judged?.policy, judged?.by], ['verified', asked.hash, [proofOf(first)]]);
  assert.equal(refusal(policyOf('require', second, first), verified), undefined);
  const own = demandsOf(policyOf('off', first), first.pem);
  const byOwn = judgeRecorded(own, { url, manifestDigest: digest, signature: verified });
  assert.equal(byOwn?.by[0]?.authority, undefined);
});

test('a proof counts for the digest that it is about, and each demand needs its own', () => {
  const policy = policyOf('require', second, first);
  const other = record(policyOf('require', first), {
    state: 'verified',
    by: [proofOf(first, `sha256:${'b'.repeat(64)}`)],
  });
  assert.match(refusal(policy, other) ?? '', /^not checked yet/);
  const one = record(policyOf('require', first), { state: 'verified', by: [proofOf(first)] });
  assert.match(refusal(policyOf('require', first), one, second.pem) ?? '', /^not checked yet/);
  const both = record(policyOf('require', first), {
    state: 'verified',
    by: [proofOf(first), proofOf(second)],
  });
  assert.equal(refusal(policyOf('require', first), both, second.pem), undefined);
});
