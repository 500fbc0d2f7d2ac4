/**
 * Every parser of bytes that others send: whatever comes, it answers or throws its own error with a code, soon. What
 * each answers for good and bad input is in the tests of its own.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { withConfigSchema } from '../../src/model/config-schema.ts';
import { ModuleReferenceError, parseModuleReference } from '../../src/model/module-reference.ts';
import { parseSignatureKey } from '../../src/model/signature-key.ts';
import { parseChallenges } from '../../src/module/auth-challenge.ts';
import { parseByteRange } from '../../src/module/byte-range.ts';
import { checkModule } from '../../src/module/check-module.ts';
import { readConfigSchema } from '../../src/module/config-schema/read-config-schema.ts';
import { readCredential } from '../../src/module/docker-config.ts';
import { findModule } from '../../src/module/find-module.ts';
import { chooseChild, parseManifest } from '../../src/module/manifest.ts';
import { ModuleError } from '../../src/module/module-error.ts';
import { followRedirect } from '../../src/module/redirect-policy.ts';
import { searchCatalogue } from '../../src/module/registry-catalogue.ts';
import type { KnownManifest, RegistryContent } from '../../src/module/registry-content.ts';
import { parsePushedManifest, toContentType } from '../../src/module/registry-manifest.ts';
import { matchRegistryRoute } from '../../src/module/registry-route.ts';
import { parseRetryAfter } from '../../src/module/response-error.ts';
import { parseBundle } from '../../src/module/signature/dsse-bundle.ts';
import { parseStatement } from '../../src/module/signature/in-toto-statement.ts';
import { parseBase64, quote } from '../../src/module/signature/json-object.ts';
import { parseReferrers, toNextQuery, toReferrers } from '../../src/module/signature/referrers.ts';
import { parseSimpleSigning } from '../../src/module/signature/simple-signing.ts';
import { readTar } from '../../src/module/tar-reader.ts';
import { writeTar } from '../../src/module/tar-writer.ts';
import { unpackModule } from '../../src/module/unpack.ts';
import { parseWasmHeader } from '../../src/module/wasm-header.ts';
import { buildProxyWasm } from '../fixtures/wasm-builder.ts';
import { makeDirectory, makeModule } from './actors.ts';
import { damaged, distorted, inPieces, texts } from './outside-bytes.ts';

/** Far more than any of them needs, on a machine that has other things to do. */
const SOON_MS = 2_000;
const DIGEST = `sha256:${'ab'.repeat(32)}`;
const OCI = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const descriptor = (mediaType: string) => ({
  mediaType,
  digest: DIGEST,
  size: 10,
  annotations: { 'org.opencontainers.image.title': 'a.wasm' },
  platform: { os: 'wasip1', architecture: 'wasm' },
});
const MANIFEST = {
  schemaVersion: 2,
  mediaType: OCI,
  artifactType: 'application/x',
  config: descriptor('application/vnd.oci.image.config.v1+json'),
  layers: [descriptor('application/wasm'), descriptor('application/vnd.oci.image.layer.v1.tar+gzip')],
  subject: descriptor(OCI),
  annotations: { a: 'b' },
};
const LIST = { schemaVersion: 2, mediaType: INDEX, manifests: [descriptor(OCI), descriptor(OCI)] };

const MODULE = withConfigSchema(
  buildProxyWasm({
    comment: 'comment',
    imports: [{ module: 'env', name: 'proxy_log', type: 'i32,i32,i32->i32' }],
    exports: [{ name: 'proxy_on_vm_start', type: 'i32,i32->i32' }],
    data: { at: 8, text: 'data' },
    tableSize: 2,
  }),
  '{"type":"object"}',
);
const TAR = Buffer.concat([
  writeTar('notes.txt', Buffer.from('notes'), 0).subarray(0, -1024),
  writeTar('plugin.wasm', makeModule('in a tar'), 0),
]);

/** Runs it; only errors of these classes may come out. */
async function ends(job: () => unknown, own: readonly (new (...args: never[]) => Error)[] = [ModuleError]) {
  const began = performance.now();
  try {
    await job();
  } catch (error) {
    assert.ok(
      own.some(type => error instanceof type),
      (error instanceof Error ? error.stack : undefined) ?? String(error),
    );
    const { code, hint } = error as { code?: string; hint?: string };
    assert.ok(code !== undefined && hint !== undefined, String(error));
  }
  const tookMs = performance.now() - began;
  assert.ok(tookMs < SOON_MS, `it took ${tookMs} ms`);
}

function holds<T>(name: string, from: fc.Arbitrary<T>, job: (value: T) => unknown, numRuns = 300): void {
  test(`whatever the bytes: ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(from, async value => ends(() => job(value))),
      { numRuns },
    );
  });
}

/** One that answers whatever comes. */
function answers<T>(name: string, from: fc.Arbitrary<T>, job: (value: T) => unknown): void {
  test(`whatever comes: ${name}`, async () => {
    await fc.assert(
      fc.asyncProperty(from, async value => ends(() => job(value), [])),
      { numRuns: 300 },
    );
  });
}

holds('a manifest', fc.oneof(distorted(MANIFEST), distorted(LIST)), bytes => {
  const parsed = parseManifest(bytes, OCI, 'x');
  return parsed.kind === 'manifest' ? findModule(parsed, 'x') : chooseChild(parsed, 'x');
});
answers('a manifest that is pushed', fc.oneof(distorted(MANIFEST), distorted(LIST)), bytes =>
  parsePushedManifest(bytes, OCI),
);
answers('a list of referrers', distorted(LIST), bytes => toReferrers(parseReferrers(bytes) ?? [], false));

holds('the sections of a module', damaged(MODULE), bytes => parseWasmHeader(bytes), 500);
holds('the check of a module', damaged(MODULE), bytes => checkModule(bytes, []), 500);
holds('the schema in a module', damaged(MODULE), bytes => readConfigSchema(bytes), 500);

const pieces = fc.constantFrom(13, 511, 512, 1 << 16);
holds('a tar', fc.tuple(damaged(TAR), pieces), async ([bytes, size]) => {
  let sizeBytes = 0;
  for await (const { chunks } of readTar(inPieces(bytes, size)))
    for await (const chunk of chunks) sizeBytes += chunk.length;
  assert.ok(sizeBytes <= bytes.length, 'more than there was');
});
for (const [name, bytes] of Object.entries({ gzip: gzipSync(TAR), zstd: zstdCompressSync(TAR), plain: TAR }))
  holds(`an archive, ${name}`, fc.tuple(damaged(bytes), pieces), async ([packed, size]) =>
    unpackModule(inPieces(packed, size)),
  );
holds('an archive of a module alone', damaged(gzipSync(MODULE)), async packed =>
  unpackModule(inPieces(packed, 512)),
);

const reference = texts(
  'oci://',
  'https://',
  'file:///',
  'host',
  '.example',
  ':5000',
  '/',
  'a',
  '-',
  '_',
  '__',
  '.',
  ':1',
  '@',
  DIGEST,
);
test('whatever comes: a reference is read, or refused as one', async () => {
  await fc.assert(
    fc.asyncProperty(reference, text => ends(() => parseModuleReference(text), [ModuleReferenceError])),
    { numRuns: 500 },
  );
});

const auths = {
  auths: {
    'https://registry.example/v2/': { auth: Buffer.from('ann:secret').toString('base64') },
    'registry.example/team': { username: 'ann', password: 'secret' },
    'index.docker.io': { identitytoken: 'token' },
  },
};
test('whatever the bytes: a docker config.json', async t => {
  const path = join(await makeDirectory(t), 'config.json');
  const read = async (bytes: Buffer): Promise<unknown> => {
    await writeFile(path, bytes);
    return readCredential(path, 'registry.example', 'team/auth');
  };
  await fc.assert(
    fc.asyncProperty(distorted(auths), bytes => ends(() => read(bytes))),
    { numRuns: 300 },
  );
});

const bundle = {
  mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
  verificationMaterial: { publicKey: { hint: 'x' } },
  dsseEnvelope: {
    payload: Buffer.from('{}').toString('base64'),
    payloadType: 'application/vnd.in-toto+json',
    signatures: [{ sig: 'AAAA' }],
  },
};
const statement = {
  _type: 'https://in-toto.io/Statement/v1',
  predicateType: 'https://sigstore.dev/cosign/sign/v1',
  subject: [{ name: 'a', digest: { sha256: 'ab'.repeat(32) } }],
};
const payload = {
  critical: { type: 'cosign container image signature', image: { 'docker-manifest-digest': DIGEST } },
};
answers('a sigstore bundle', distorted(bundle), parseBundle);
answers('an in-toto statement', distorted(statement), parseStatement);
answers("cosign's own payload", distorted(payload), parseSimpleSigning);
answers('base64 and what is quoted', fc.anything(), value => [parseBase64(value), quote(value)].length);
const pem =
  '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAETO7c0NPU++qgagu3jn6ExZWtyHbq\nfRV+c6A52tJaSfuLcgiUbjS73+c66pBcupUOLs7jPQe4/4DUrNVx3fZI8A==\n-----END PUBLIC KEY-----\n';
answers('a public key', damaged(Buffer.from(pem)), bytes => parseSignatureKey(bytes.toString('latin1')));

answers(
  'the challenges of a registry',
  texts(
    'Bearer',
    'Basic',
    ' ',
    ',',
    '=',
    '"',
    '\\',
    '\\"',
    'realm=',
    '"https://a/t"',
    'scope="a:b:pull"',
    'x',
  ),
  parseChallenges,
);
answers(
  'a Link header',
  texts('<', '>', '/v2/a/referrers/', '?last=', 'x', ';', ' rel=', '"next"', ','),
  toNextQuery,
);
answers(
  'a Retry-After',
  fc.tuple(texts('1', '0', 'Sat, 21 Nov 2026', ' 10:00:00', ' GMT', '-'), texts('Sat')),
  ([asked, date]) => parseRetryAfter({ 'retry-after': asked, date }),
);
answers('a range', fc.tuple(texts('bytes=', '-', '0', '9', ',', ' '), fc.nat()), ([text, size]) =>
  parseByteRange(text, size),
);
answers('a content type', texts('application/', 'json', ';', ' charset=', '"', ','), toContentType);
holds(
  'a redirect',
  texts('https:', 'http:', '//', 'host', ':99999', '/', '@', '[', ']', 'file:', '%', '\\', '#'),
  location => followRedirect(new URL('https://registry.example/v2/'), location, { authorization: 'x' }),
);
answers(
  'a path of the registry',
  texts(
    '/v2/',
    '_catalog',
    'team',
    '/',
    'manifests/',
    'blobs/',
    'uploads/',
    'tags/list',
    DIGEST,
    '%3A',
    '%',
    '-',
    '_',
    '__',
    '.',
  ),
  path => matchRegistryRoute('GET', path),
);

const annotations = { 'org.opencontainers.image.licenses': 'Apache-2.0' };
const manifest: KnownManifest = {
  digest: DIGEST,
  mediaType: OCI,
  sizeBytes: 1,
  pushedAt: 1,
  facts: {
    mediaType: OCI,
    artifactType: 'x',
    isIndex: false,
    annotations,
    blobs: [],
    children: [],
    subject: undefined,
  },
};
const content = {
  state: async () =>
    new Map([['team/auth', { manifests: new Map([[DIGEST, manifest]]), tags: new Map([['1', DIGEST]]) }]]),
  manifests: async () => [manifest],
} as unknown as RegistryContent;
answers(
  'a question to the catalogue',
  texts(
    'team',
    'auth',
    ' ',
    '\t',
    '=',
    'licenses=',
    'apache',
    '.',
    '*',
    '(',
    '[',
    '\\',
    'constructor=',
    '__proto__=',
  ),
  async text => {
    const { items, total } = await searchCatalogue(content, { text, limit: 10 });
    assert.ok(items.length <= total && total <= 1);
  },
);
