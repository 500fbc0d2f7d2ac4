import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parseSignatureKey } from '../../../src/model/signature-key.ts';
import type { SignatureDemands } from '../../../src/model/signature-policy.ts';
import { ModuleError } from '../../../src/module/module-error.ts';
import { checkSignature } from '../../../src/module/signature/check-signature.ts';
import { findSignatures, SIGNATURE_BOUNDS } from '../../../src/module/signature/find-signatures.ts';
import { type ArtifactServer, type Layer, serveArtifacts } from './artifact-server.ts';
import { demand, makeBundle, makePayload, makeSigner, makeStatement, type Signer } from './signing.ts';

const MANIFEST = `sha256:${'a'.repeat(64)}`;
const INDEX = `sha256:${'b'.repeat(64)}`;
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const never = new AbortController().signal;
const release = makeSigner('p256', 'release');
const stranger = makeSigner('p384');

const simple = (signer: Signer, digest: string): Layer => {
  const bytes = makePayload(digest);
  const annotations = { 'dev.cosignproject.cosign/signature': signer.sign(bytes).toString('base64') };
  return { type: 'application/vnd.dev.cosign.simplesigning.v1+json', bytes, annotations };
};
const bundle = (signer: Signer, digest: string, over: object = {}): Layer => ({
  type: BUNDLE,
  bytes: makeBundle(signer, makeStatement(digest, over)),
});
const sigTag = (digest: string) => `${digest.replace(':', '-')}.sig`;

/** Of a manifest, or of one that was chosen from an index. */
function check(server: ArtifactServer, asked: SignatureDemands, referenceDigest = MANIFEST) {
  const find = (digest: string) => findSignatures(server.client, server.repository, digest, never);
  return checkSignature({ referenceDigest, manifestDigest: MANIFEST }, asked, find, 7);
}

const PLACES: readonly (readonly [string, 'api' | number, (s: ArtifactServer, layer: Layer) => void])[] = [
  ["cosign's tag", 404, (s, layer) => s.tag(sigTag(MANIFEST), s.artifact([layer]))],
  ['the referrers API', 'api', (s, layer) => void s.artifact([layer], MANIFEST, layer.type)],
  ['the tag of referrers', 404, (s, layer) => s.listByTag(MANIFEST, [s.artifact([layer], MANIFEST)])],
];

for (const [place, referrers, put] of PLACES)
  for (const [format, make] of [
    ['simple-signing', simple],
    ['bundle', bundle],
  ] as const)
    test(`${format} in ${place}: verified by whom it was, and by nobody else`, async t => {
      const server = await serveArtifacts(t, { referrers });
      put(server, make(release, MANIFEST));
      const found = await check(server, demand([stranger, release]));
      assert.deepEqual(found, {
        state: 'verified',
        by: [
          {
            authority: 'release',
            fingerprint: release.named.key.fingerprint,
            signed: 'manifest',
            digest: MANIFEST,
            format,
          },
        ],
        refused: false,
        policy: 'asked',
        checkedAt: 7,
      });
      const refused = await check(server, demand([stranger]));
      assert.deepEqual([refused.state, refused.refused, refused.by], ['failed', true, []]);
      const warned = await check(server, demand([stranger], 'warn'));
      assert.deepEqual([warned.state, warned.refused], ['failed', false]);
    });

test('nothing there is not signed; an attestation is named, and is still nothing', async t => {
  const server = await serveArtifacts(t, { referrers: 'api' });
  const nothing = await check(server, demand([release]));
  assert.deepEqual([nothing.state, nothing.refused], ['unsigned', true]);
  server.artifact([bundle(release, MANIFEST, { predicateType: 'https://slsa.dev/provenance/v1' })], MANIFEST);
  const attested = await check(server, demand([release]));
  assert.equal(attested.state, 'unsigned');
  assert.match(attested.why ?? '', /slsa\.dev/);
});

test('a signature of the index counts for the manifest chosen in it, and it is said which was signed', async t => {
  const server = await serveArtifacts(t);
  server.tag(sigTag(INDEX), server.artifact([simple(release, INDEX)]));
  const ofIndex = await check(server, demand([release]), INDEX);
  assert.deepEqual(
    [ofIndex.state, ofIndex.by[0]?.signed, ofIndex.by[0]?.digest],
    ['verified', 'index', INDEX],
  );
  const direct = await check(server, demand([release]));
  assert.equal(direct.state, 'unsigned');
  server.tag(sigTag(MANIFEST), server.artifact([simple(stranger, MANIFEST)]));
  const ofManifest = await check(server, demand([stranger]), INDEX);
  assert.deepEqual([ofManifest.state, ofManifest.by[0]?.signed], ['verified', 'manifest']);
});

test('a signature of the index that lies at the tag of the manifest, and the other way round, does not count', async t => {
  const server = await serveArtifacts(t);
  server.tag(sigTag(MANIFEST), server.artifact([simple(release, INDEX)]));
  server.tag(sigTag(INDEX), server.artifact([bundle(release, MANIFEST)]));
  const found = await check(server, demand([release]), INDEX);
  assert.equal(found.state, 'failed');
});

test('every demand needs a signer of its own: a key of the plugin does not stand in for the policy', async t => {
  const server = await serveArtifacts(t, { referrers: 'api' });
  const both: SignatureDemands = {
    hash: 'both',
    demands: [...demand([release]).demands, ...demand([stranger]).demands],
  };
  server.artifact([bundle(stranger, MANIFEST)], MANIFEST);
  const half = await check(server, both);
  assert.deepEqual([half.state, half.refused, half.by.length], ['failed', true, 1]);
  assert.match(half.why ?? '', /asks for release/);
  server.tag(sigTag(MANIFEST), server.artifact([simple(release, MANIFEST)]));
  const whole = await check(server, both);
  assert.deepEqual([whole.state, whole.by.length], ['verified', 2]);
});

test('a good signature is found behind broken ones, pages and other artifacts', async t => {
  const server = await serveArtifacts(t, { referrers: 'api', pageSize: 2 });
  const sbom = { type: 'application/spdx+json', bytes: Buffer.from('{}') };
  for (let i = 0; i < 5; i++) server.artifact([{ ...sbom, bytes: Buffer.from(`${i}`) }], MANIFEST);
  server.artifact([{ ...bundle(release, MANIFEST), size: 3 }], MANIFEST);
  server.artifact([{ type: BUNDLE, bytes: Buffer.alloc((1 << 20) + 1) }], MANIFEST);
  server.manifest(JSON.stringify({ schemaVersion: 2, layers: 7, subject: { digest: MANIFEST } }));
  server.artifact([bundle(stranger, MANIFEST), bundle(release, INDEX)], MANIFEST);
  const failed = await check(server, demand([release]));
  assert.equal(failed.state, 'failed');
  assert.match(failed.why ?? '', /and \d more$/);
  server.artifact([bundle(release, MANIFEST)], MANIFEST);
  assert.equal((await check(server, demand([release]))).state, 'verified');
  const hosts = server.requests.map(({ headers }) => headers.host);
  assert.deepEqual([...new Set(hosts)], [server.host]);
});

test('what is too big is not downloaded', async t => {
  const server = await serveArtifacts(t, { referrers: 'api' });
  const bytes = Buffer.alloc(SIGNATURE_BOUNDS.layerBytes + 1);
  server.artifact([{ type: BUNDLE, bytes }], MANIFEST);
  const found = await check(server, demand([release]));
  assert.equal(found.state, 'failed');
  assert.ok(server.requests.every(({ line }) => !line.includes('/blobs/')));
});

test('a flood of artifacts is read up to the bounds, and that is told', async t => {
  const server = await serveArtifacts(t, { referrers: 'api' });
  for (let i = 0; i < SIGNATURE_BOUNDS.manifests + 9; i++)
    server.artifact([{ type: 'text/plain', bytes: Buffer.from(`${i}`) }], MANIFEST);
  const found = await check(server, demand([release]));
  assert.equal(found.state, 'failed');
  assert.match(found.why ?? '', /more than 64 artifacts/);
  assert.ok(server.requests.length <= SIGNATURE_BOUNDS.manifests + 3);
  const layers = Array.from({ length: 90 }, (_, i) => ({ type: BUNDLE, bytes: Buffer.from(`${i}`) }));
  server.tag(sigTag(INDEX), server.artifact(layers));
  const many = await check(server, demand([release]), INDEX);
  assert.match(many.why ?? '', /more than 64 layers/);
});

test('what signs itself a likely signature is read before what does not', async t => {
  const server = await serveArtifacts(t, { referrers: 'api' });
  for (let i = 0; i < SIGNATURE_BOUNDS.manifests; i++)
    server.artifact([{ type: 'text/plain', bytes: Buffer.from(`${i}`) }], MANIFEST, 'text/plain');
  server.artifact([bundle(release, MANIFEST)], MANIFEST, BUNDLE);
  assert.equal((await check(server, demand([release]))).state, 'verified');
});

for (const status of [400, 404, 405])
  test(`a registry that answers the referrers API with ${status} is asked for the tag`, async t => {
    const server = await serveArtifacts(t, { referrers: status });
    server.listByTag(MANIFEST, [server.artifact([bundle(release, MANIFEST)])]);
    assert.equal((await check(server, demand([release]))).state, 'verified');
  });

for (const [status, code] of [
  [401, 'unauthorized'],
  [403, 'denied'],
  [429, 'registry-busy'],
  [503, 'registry-error'],
] as const)
  test(`${status} is no absence of signatures`, async t => {
    const server = await serveArtifacts(t, { referrers: status });
    await assert.rejects(
      check(server, demand([release])),
      (error: unknown) => error instanceof ModuleError && error.code === code,
    );
  });

test('enough is enough: after the signature that was asked for nothing more is read', async t => {
  const server = await serveArtifacts(t, { referrers: 'api' });
  server.artifact([bundle(release, MANIFEST)], MANIFEST);
  await check(server, demand([release]));
  assert.ok(server.requests.every(({ line }) => !line.includes('.sig')));
});

interface Vectors {
  readonly tool: string;
  readonly keys: Readonly<Record<string, string>>;
  readonly vectors: readonly {
    readonly name: string;
    readonly key: string;
    readonly digest: string;
    readonly tags: Readonly<Record<string, string>>;
    readonly manifests: Readonly<Record<string, { readonly mediaType: string; readonly text: string }>>;
    readonly blobs: Readonly<Record<string, string>>;
  }[];
}

for (const tool of ['cosign-2.6.4', 'cosign-3.1.2']) {
  const file = new URL(`../../fixtures/signatures/${tool}.json`, import.meta.url);
  const { keys, vectors }: Vectors = JSON.parse(readFileSync(file, 'utf8'));
  for (const { name, key, digest, tags, manifests, blobs } of vectors)
    test(`${tool}, ${name}: as it was written to a registry`, async t => {
      const server = await serveArtifacts(t);
      for (const text of Object.values(blobs)) server.blob(Buffer.from(text));
      for (const { text, mediaType } of Object.values(manifests)) server.manifest(text, mediaType);
      for (const [tag, to] of Object.entries(tags)) server.tag(tag, to);
      const find = (of: string) => findSignatures(server.client, server.repository, of, never);
      const by = (pem: string) =>
        checkSignature({ referenceDigest: digest }, demand([pemSigner(pem)]), find, 7);
      // Cosign signs with Ed25519ph, which it does not verify either.
      const expected = name.includes('attestation') ? 'unsigned' : key === 'ed25519' ? 'failed' : 'verified';
      assert.equal((await by(keys[key]!)).state, expected);
      const wrong = await by(keys[key === 'rsa' ? 'p256' : 'rsa']!);
      assert.equal(wrong.state, expected === 'verified' ? 'failed' : expected);
    });
}

function pemSigner(pem: string): Signer {
  const made = makeSigner();
  const key = parseSignatureKey(pem);
  if (typeof key === 'string') throw new Error(key);
  return { ...made, pem, named: { key } };
}
