import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { PUSH_LAYOUTS, type PushLayout } from '../../src/model/artifact-layout.ts';
import { findModule } from '../../src/module/find-module.ts';
import {
  chooseChild,
  type Descriptor,
  type ImageManifest,
  parseManifest,
} from '../../src/module/manifest.ts';
import { type Artifact, buildArtifact } from '../../src/module/push-layout.ts';
import { readTar } from '../../src/module/tar-reader.ts';
import { writeTar } from '../../src/module/tar-writer.ts';
import { toDigest } from '../../src/module/verify-digest.ts';
import { makeModule } from './actors.ts';

const MODULE = makeModule('layout');
const build = (layout: PushLayout, more: { annotations?: Record<string, string>; createdMs?: number } = {}) =>
  buildArtifact(MODULE, { layout, annotations: {}, createdMs: 0, ...more });

function read(artifact: Artifact, which = -1) {
  const { bytes, mediaType } = artifact.manifests.at(which)!;
  return { json: JSON.parse(Buffer.from(bytes).toString()), parsed: parseManifest(bytes, mediaType, 'it') };
}

function image(artifact: Artifact): ImageManifest {
  const { parsed } = read(artifact);
  assert.ok(parsed.kind === 'manifest');
  return parsed;
}

function blobOf(artifact: Artifact, { digest, sizeBytes }: Descriptor): Uint8Array {
  const blob = artifact.blobs.find(bytes => toDigest(bytes) === digest);
  assert.equal(blob?.length, sizeBytes);
  return blob!;
}

test('the same module and flags give the same bytes, other flags others; all of it is named by its digest', () => {
  const digests = PUSH_LAYOUTS.map(layout => {
    const artifact = build(layout);
    assert.deepEqual(build(layout), artifact);
    for (const { bytes, digest } of artifact.manifests) assert.equal(toDigest(bytes), digest);
    assert.notEqual(
      build(layout, { createdMs: 1000 }).manifests.at(-1)?.digest,
      artifact.manifests.at(-1)?.digest,
    );
    return artifact.manifests.at(-1)?.digest;
  });
  assert.equal(new Set(digests).size, PUSH_LAYOUTS.length);
});

test('annotations and the time of creation are in every manifest and index', () => {
  for (const layout of PUSH_LAYOUTS) {
    const artifact = build(layout, {
      annotations: { 'org.opencontainers.image.version': '1.4' },
      createdMs: 1e12,
    });
    for (const [i] of artifact.manifests.entries()) {
      const { annotations } = read(artifact, i).json;
      assert.equal(annotations['org.opencontainers.image.version'], '1.4');
      assert.equal(annotations['org.opencontainers.image.created'], '2001-09-09T01:46:40Z');
    }
  }
});

test('our own reader finds the module in each, and names the layout', () => {
  const cncf = build('cncf');
  const place = findModule(image(cncf), 'it');
  assert.ok(place.kind === 'raw' && place.layout === 'cncf');
  assert.deepEqual(blobOf(cncf, place.layer), MODULE);
  const solo = findModule(image(build('solo-io')), 'it');
  assert.ok(solo.kind === 'raw' && solo.layout === 'solo-io');
  assert.equal(findModule(image(build('compat')), 'it').layout, 'compat-image');
  const index = read(build('index')).parsed;
  assert.ok(index.kind === 'index');
  assert.equal(chooseChild(index, 'it').digest, cncf.manifests[0]?.digest);
});

/** What Istio's and Envoy Gateway's extractors ask, rule by rule. */
test('Istio reads compat: an OCI image whose last layer is a gzipped tar with plugin.wasm', async () => {
  const compat = build('compat');
  const last = image(compat).layers.at(-1)!;
  assert.equal(last.mediaType, 'application/vnd.oci.image.layer.v1.tar+gzip');
  const packed = blobOf(compat, last);
  assert.equal(Buffer.from(packed).readUInt32LE(4), 0, 'no time in the gzip header');
  assert.equal(packed[9], 255, 'and no system');
  const tar = gunzipSync(packed);
  const entries: [string, Buffer][] = [];
  for await (const { path, chunks } of readTar(Readable.from([tar])))
    entries.push([path, await buffer(chunks)]);
  assert.deepEqual(entries, [['plugin.wasm', Buffer.from(MODULE)]]);
  const { config } = read(compat).json;
  const bytes = compat.blobs.find(blob => toDigest(blob) === config.digest)!;
  assert.deepEqual(JSON.parse(Buffer.from(bytes).toString()).rootfs.diff_ids, [toDigest(tar)]);
});

test('Istio reads solo-io: exactly two layers, one of them the module itself', () => {
  const solo = build('solo-io');
  const { layers } = image(solo);
  assert.equal(layers.length, 2);
  const content = layers.find(
    ({ mediaType }) => mediaType === 'application/vnd.module.wasm.content.layer.v1+wasm',
  )!;
  assert.deepEqual(blobOf(solo, content), MODULE);
  assert.equal(solo.blobs.length, 2, 'config and first layer are one blob');
});

test('of an index Istio takes linux/amd64, which is compat', () => {
  const index = build('index');
  const { manifests } = read(index).json;
  assert.deepEqual(
    manifests.map(({ platform }: { platform: object }) => platform),
    [
      { architecture: 'amd64', os: 'linux' },
      { architecture: 'wasm', os: 'wasip1' },
    ],
  );
  assert.deepEqual(manifests[0].digest, build('compat').manifests[0]?.digest);
  assert.deepEqual(
    index.manifests.map(({ digest }) => digest).slice(0, 2),
    manifests.map(({ digest }: { digest: string }) => digest),
  );
});

test('a file of any length makes whole blocks, with two empty ones at the end', async () => {
  for (const size of [0, 1, 511, 512, 513, 5000]) {
    const tar = writeTar('a.wasm', Buffer.alloc(size, 7), 1_000_000_000);
    assert.equal(tar.length % 512, 0);
    assert.ok(tar.subarray(-1024).every(byte => byte === 0));
    for await (const { chunks } of readTar(Readable.from([tar])))
      assert.equal((await buffer(chunks)).length, size);
  }
});

test('bytes that no reader of Wasm understands are pushed as they are', () => {
  const artifact = buildArtifact(Buffer.from('\0asm…'), { layout: 'solo-io', annotations: {}, createdMs: 0 });
  assert.equal(artifact.manifests.length, 1);
});
