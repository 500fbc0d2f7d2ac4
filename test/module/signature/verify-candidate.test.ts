import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Candidate, verifyCandidate } from '../../../src/module/signature/verify-candidate.ts';
import { KEY_KINDS, makeBundle, makePayload, makeSigner, makeStatement, type Signer } from './signing.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;
const signers = Object.fromEntries(KEY_KINDS.map(kind => [kind, makeSigner(kind)])) as Record<string, Signer>;
const p256 = makeSigner();

const simple = (signer: Signer, payload: Buffer, signature = signer.sign(payload)): Candidate => ({
  kind: 'simple-signing',
  payload,
  signature: signature.toString('base64'),
});
const bundle = (bytes: Uint8Array): Candidate => ({ kind: 'bundle', bytes });
const verify = (candidate: Candidate, by: readonly Signer[] = [p256], digest = DIGEST) =>
  verifyCandidate(
    candidate,
    digest,
    by.map(({ named }) => named),
  );

for (const kind of KEY_KINDS) {
  const signer = signers[kind]!;
  const others = KEY_KINDS.filter(one => one !== kind).map(one => signers[one]!);

  test(`${kind}: both formats hold with the key that signed, also among others, and with no other`, () => {
    for (const candidate of [
      simple(signer, makePayload(DIGEST)),
      bundle(makeBundle(signer, makeStatement(DIGEST))),
    ]) {
      const found = verify(candidate, [...others, signer]);
      assert.ok(found.kind === 'verified' && found.key === signer.named);
      assert.equal(found.format, candidate.kind);
      assert.equal(verify(candidate, others).kind, 'failed');
      assert.equal(verify(candidate, [makeSigner(kind)]).kind, 'failed');
      assert.equal(verify(candidate, []).kind, 'failed');
      assert.equal(verify(candidate, [signer], OTHER).kind, 'failed');
    }
  });

  test(`${kind}: no signature survives a changed bit, in itself or in what it is over`, () => {
    const payload = makePayload(DIGEST);
    const signature = signer.sign(payload);
    fc.assert(
      fc.property(fc.nat(signature.length * 8 - 1), fc.nat(payload.length * 8 - 1), (a, b) => {
        const bad = verify(simple(signer, payload, flip(signature, a)), [signer]);
        const changed = verify(simple(signer, flip(payload, b), signature), [signer]);
        assert.deepEqual([bad.kind, changed.kind], ['failed', 'failed']);
      }),
      { numRuns: 60 },
    );
  });
}

function flip(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

const statement = makeStatement(DIGEST);
const many = (count: number) =>
  makeStatement(DIGEST, {
    subject: Array.from({ length: count }, (_, i) => ({
      digest: { sha256: i === 0 ? 'a'.repeat(64) : `${i}` },
    })),
  });

/** Each is signed by the right key over what it holds, where not said otherwise. */
const BAD: readonly (readonly [string, Candidate, RegExp])[] = [
  ['a payload about another digest', simple(p256, makePayload(OTHER)), /is about sha256:bbb/],
  ['a payload of another type', simple(p256, makePayload(DIGEST, { type: 'atomic' })), /type "atomic"/],
  ['a payload without a digest', simple(p256, makePayload('latest')), /names no digest/],
  ['a payload whose digest is an object', simple(p256, makePayload(DIGEST, { image: [] })), /no digest/],
  ['a payload that is not JSON', simple(p256, Buffer.from('{')), /not one of cosign/],
  ['a payload that is not UTF-8', simple(p256, Buffer.from([0x7b, 0xff, 0x7d])), /not one of cosign/],
  ['no annotation', { kind: 'simple-signing', payload: makePayload(DIGEST), signature: undefined }, /annot/],
  ['a bad annotation', { kind: 'simple-signing', payload: makePayload(DIGEST), signature: 'é' }, /base64/],
  ['base64 in another form', unpadded(makePayload(DIGEST)), /base64/],
  ['a statement about another digest', bundle(makeBundle(p256, makeStatement(OTHER))), /other digests/],
  [
    'a digest under the name of another algorithm',
    bundle(makeBundle(p256, makeStatement(DIGEST, { subject: [{ digest: { sha512: 'a'.repeat(64) } }] }))),
    /other digests/,
  ],
  ['a bundle that is not JSON', bundle(Buffer.from('no')), /not JSON/],
  ['a bundle that is a list', bundle(Buffer.from('[]')), /not JSON/],
  ['a bundle of version 0.1', typed('application/vnd.dev.sigstore.bundle+json;version=0.1'), /version 0.3/],
  ['a bundle without a type', typed(undefined), /version 0.3/],
  [
    'a bundle over bytes',
    bundle(makeBundle(p256, statement, { over: { dsseEnvelope: undefined, messageSignature: {} } })),
    /about bytes/,
  ],
  [
    'a payload of another type in the envelope',
    bundle(makeBundle(p256, statement, { type: 'text/plain' })),
    /announced as "text\/plain"/,
  ],
  [
    'a payload type that was changed after signing',
    bundle(
      makeBundle(p256, statement, {
        type: 'text/plain',
        envelope: { payloadType: 'application/vnd.in-toto+json' },
      }),
    ),
    /another key, or changed/,
  ],
  [
    'a payload that was changed after signing',
    bundle(makeBundle(p256, makeStatement(OTHER), { envelope: { payload: statement.toString('base64') } })),
    /another key, or changed/,
  ],
  ['no signatures', bundle(makeBundle(p256, statement, { envelope: { signatures: [] } })), /exactly one/],
  ['two signatures', bundle(twice()), /exactly one/],
  ['a signature that is no object', withSignature(null), /base64/],
  ['a signature that is empty', withSignature({ sig: '' }), /base64/],
  [
    'a signature over the payload alone',
    withSignature({ sig: p256.sign(statement).toString('base64') }),
    /another key, or changed/,
  ],
  [
    'a statement of another version',
    bundle(makeBundle(p256, makeStatement(DIGEST, { _type: 'https://in-toto.io/Statement/v2' }))),
    /no in-toto statement/,
  ],
  [
    'a statement without subjects',
    bundle(makeBundle(p256, makeStatement(DIGEST, { subject: [] }))),
    /about noth/,
  ],
  ['too many subjects', bundle(makeBundle(p256, many(1025))), /1025 subjects/],
  [
    'a subject without a digest',
    bundle(makeBundle(p256, makeStatement(DIGEST, { subject: [{ name: 'a' }] }))),
    /no digest/,
  ],
  [
    'a digest that is a number',
    bundle(makeBundle(p256, makeStatement(DIGEST, { subject: [{ digest: { sha256: 7 } }] }))),
    /no text/,
  ],
  [
    'a statement without a predicate',
    bundle(makeBundle(p256, makeStatement(DIGEST, { predicateType: 0 }))),
    /pred/,
  ],
  [
    'a signature with a certificate, by nobody known',
    bundle(makeBundle(makeSigner(), statement, { over: { verificationMaterial: { certificate: {} } } })),
    /without a key/,
  ],
  ['what could not be had', { kind: 'broken', why: 'gone' }, /gone/],
];

function unpadded(payload: Buffer): Candidate {
  const signature = `${p256.sign(payload).toString('base64').replace(/=+$/, '')}\n`;
  return { kind: 'simple-signing', payload, signature };
}

function typed(mediaType: string | undefined): Candidate {
  return bundle(makeBundle(p256, statement, { over: { mediaType } }));
}

function withSignature(signature: unknown): Candidate {
  return bundle(makeBundle(p256, statement, { envelope: { signatures: [signature] } }));
}

function twice(): Buffer {
  const { dsseEnvelope, ...rest } = JSON.parse(makeBundle(p256, statement).toString());
  const signatures = [...dsseEnvelope.signatures, ...dsseEnvelope.signatures];
  return Buffer.from(JSON.stringify({ ...rest, dsseEnvelope: { ...dsseEnvelope, signatures } }));
}

for (const [name, candidate, why] of BAD)
  test(`refused: ${name}`, () => {
    const outcome = verify(candidate);
    assert.equal(outcome.kind, 'failed');
    assert.match(outcome.kind === 'failed' ? outcome.why : '', why);
  });

test('a statement of version 0.1, one of 1024 subjects, and the other spelling of a bundle are taken', () => {
  const old = makeStatement(DIGEST, { _type: 'https://in-toto.io/Statement/v0.1' });
  const spelling = 'application/vnd.dev.sigstore.bundle+json;version=0.3';
  for (const candidate of [
    bundle(makeBundle(p256, old)),
    bundle(makeBundle(p256, many(1024))),
    typed(spelling),
  ])
    assert.equal(verify(candidate).kind, 'verified');
});

test('an attestation is no signature, whoever signed it', () => {
  const predicateType = 'https://slsa.dev/provenance/v1';
  const outcome = verify(bundle(makeBundle(p256, makeStatement(DIGEST, { predicateType }))));
  assert.equal(outcome.kind, 'other');
});

test('a key signs its way alone: P-384 with sha384, and RSA with PKCS #1', () => {
  const payload = makePayload(DIGEST);
  for (const kind of ['p256', 'p384'] as const) {
    const other = kind === 'p256' ? 'p384' : 'p256';
    assert.equal(verify(simple(signers[kind]!, payload), [signers[other]!]).kind, 'failed');
  }
});

test('whatever a registry holds, the answer is never verified and nothing is thrown', () => {
  const text = fc.oneof(fc.string(), fc.json(), fc.constant(statement.toString()));
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    text.map(one => Buffer.from(one)),
    fc
      .record({
        mediaType: fc.jsonValue(),
        dsseEnvelope: fc.jsonValue(),
        verificationMaterial: fc.jsonValue(),
      })
      .map(value => Buffer.from(JSON.stringify(value))),
    fc
      .record({
        payload: fc.oneof(
          text.map(one => Buffer.from(one).toString('base64')),
          fc.jsonValue(),
        ),
        payloadType: fc.oneof(fc.constant('application/vnd.in-toto+json'), fc.jsonValue()),
        signatures: fc.oneof(fc.constant([{ sig: 'AAAA' }]), fc.jsonValue()),
      })
      .map(envelope => makeBundle(p256, statement, { envelope })),
  );
  fc.assert(
    fc.property(bytes, fc.option(fc.base64String(), { nil: undefined }), (one, signature) => {
      assert.notEqual(verify({ kind: 'simple-signing', payload: one, signature }).kind, 'verified');
      assert.notEqual(verify(bundle(one)).kind, 'verified');
    }),
    { numRuns: 300 },
  );
});

test('deep nesting is bad JSON, not the end of the program', () => {
  const deep = Buffer.from('['.repeat(1 << 20));
  assert.equal(verify(bundle(deep)).kind, 'failed');
  const closed = Buffer.from(`${'{"a":'.repeat(1 << 16)}1${'}'.repeat(1 << 16)}`);
  assert.equal(verify(bundle(closed)).kind, 'failed');
});
