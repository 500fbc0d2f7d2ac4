import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findModule } from '../../src/module/find-module.ts';
import {
  chooseChild,
  type ImageIndex,
  type ImageManifest,
  parseManifest,
} from '../../src/module/manifest.ts';
import { ModuleError } from '../../src/module/module-error.ts';

const OCI = 'application/vnd.oci.image.manifest.v1+json';
const DOCKER = 'application/vnd.docker.distribution.manifest.v2+json';
const IMAGE_CONFIG = 'application/vnd.oci.image.config.v1+json';
const TAR = 'application/vnd.oci.image.layer.v1.tar+gzip';

let count = 0;
const descriptor = (mediaType: string, more: object = {}) => ({
  mediaType,
  digest: `sha256:${String(++count).padStart(64, '0')}`,
  size: 10,
  ...more,
});

const encode = (value: unknown) => Buffer.from(JSON.stringify(value));

function toManifest(
  configType: string,
  layers: readonly object[],
  more: object = {},
  type = OCI,
): ImageManifest {
  const value = { schemaVersion: 2, mediaType: type, config: descriptor(configType), layers, ...more };
  const parsed = parseManifest(encode(value), type, 'x');
  assert.ok(parsed.kind === 'manifest');
  return parsed;
}

function toIndex(children: readonly object[]): ImageIndex {
  const parsed = parseManifest(encode({ schemaVersion: 2, manifests: children }), '', 'x');
  assert.ok(parsed.kind === 'index');
  return parsed;
}

function throwsCode(job: () => unknown, code: string, text = /./): void {
  assert.throws(job, (error: unknown) => {
    assert.ok(error instanceof ModuleError, String(error));
    assert.equal(error.code, code);
    assert.match(error.message, text);
    return true;
  });
}

const title = (name: string) => ({ annotations: { 'org.opencontainers.image.title': name } });

test('each layout in use is found, and named', () => {
  const solo = 'application/vnd.module.wasm.content.layer.v1+wasm';
  const soloConfig = 'application/vnd.module.wasm.config.v1+json';
  const cases: readonly [string, ImageManifest, 'raw' | 'tar', number][] = [
    [
      'docker-image',
      toManifest(
        'application/vnd.docker.container.image.v1+json',
        [descriptor('application/vnd.docker.image.rootfs.diff.tar.gzip')],
        {},
        DOCKER,
      ),
      'tar',
      0,
    ],
    [
      'compat-image',
      toManifest(IMAGE_CONFIG, [descriptor(TAR), descriptor('application/vnd.oci.image.layer.v1.tar+zstd')]),
      'tar',
      1,
    ],
    ['solo-io', toManifest(soloConfig, [descriptor(solo)]), 'raw', 0],
    ['solo-io', toManifest(soloConfig, [descriptor(solo), descriptor(soloConfig)]), 'raw', 0],
    ['solo-io', toManifest(IMAGE_CONFIG, [descriptor(soloConfig), descriptor(solo)]), 'raw', 1],
    ['cncf', toManifest('application/vnd.wasm.config.v0+json', [descriptor('application/wasm')]), 'raw', 0],
    [
      'wasm-to-oci',
      toManifest('application/vnd.wasm.config.v1+json', [
        descriptor('application/vnd.wasm.content.layer.v1+wasm'),
      ]),
      'raw',
      0,
    ],
    [
      'oras',
      toManifest('application/vnd.oci.empty.v1+json', [descriptor('application/wasm')], {
        artifactType: 'a/b',
      }),
      'raw',
      0,
    ],
    [
      'oras',
      toManifest('application/vnd.oci.empty.v1+json', [
        descriptor('text/x', title('doc.md')),
        descriptor('application/octet-stream', title('auth.wasm')),
      ]),
      'raw',
      1,
    ],
    [
      'oras',
      toManifest(
        'application/vnd.oci.empty.v1+json',
        [
          descriptor('application/vnd.oci.image.layer.v1.tar', title('doc.md')),
          descriptor('application/vnd.oci.image.layer.v1.tar', title('auth.wasm')),
        ],
        { artifactType: 'application/vnd.unknown.artifact.v1' },
      ),
      'raw',
      1,
    ],
    [
      'higress',
      toManifest('application/vnd.unknown', [
        descriptor('application/vnd.module.wasm.spec.v1+yaml'),
        descriptor('application/vnd.module.wasm.doc.v1+markdown'),
        descriptor(TAR),
      ]),
      'tar',
      2,
    ],
  ];
  for (const [layout, manifest, kind, at] of cases) {
    const place = findModule(manifest, 'x');
    assert.deepEqual([place.layout, place.kind], [layout, kind]);
    const first = place.kind === 'raw' ? place.layer : place.layers[0];
    assert.equal(first, manifest.layers[at], layout);
  }
});

test('artifacts without a module, with several, or against their own format are refused', () => {
  throwsCode(
    () => findModule(toManifest(IMAGE_CONFIG, [descriptor('text/plain')]), 'x'),
    'no-module',
    /text\/plain/,
  );
  throwsCode(() => findModule(toManifest(IMAGE_CONFIG, []), 'x'), 'no-module');
  const two = [descriptor('application/wasm'), descriptor('application/wasm')];
  throwsCode(() => findModule(toManifest(IMAGE_CONFIG, two), 'x'), 'ambiguous-module');
  throwsCode(() => findModule(toManifest('application/vnd.wasm.config.v0+json', two), 'x'), 'bad-manifest');
});

const child = (os: string, architecture: string, more: object = {}) =>
  descriptor(OCI, { platform: { os, architecture }, ...more });

test('of an index: Wasm first, then linux/amd64, then the only one; attestations never', () => {
  const attestation = child('unknown', 'unknown', {
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  });
  const wasm = child('wasip1', 'wasm');
  const linux = child('linux', 'amd64');
  const arm = child('linux', 'arm64');
  assert.equal(chooseChild(toIndex([attestation, linux, wasm, arm]), 'x').digest, wasm.digest);
  assert.equal(chooseChild(toIndex([child('js', 'wasm'), wasm]), 'x').digest, wasm.digest);
  assert.equal(chooseChild(toIndex([arm, linux, attestation]), 'x').digest, linux.digest);
  assert.equal(chooseChild(toIndex([attestation, arm]), 'x').digest, arm.digest);
  throwsCode(
    () => chooseChild(toIndex([arm, child('linux', 's390x')]), 'x'),
    'ambiguous-module',
    /arm64.*s390x/,
  );
  throwsCode(() => chooseChild(toIndex([attestation]), 'x'), 'no-module');
});

test('manifests that contradict the format are refused', () => {
  const cases: readonly unknown[] = [
    [],
    null,
    { schemaVersion: 1, mediaType: OCI },
    { schemaVersion: 2, mediaType: 'application/vnd.other+json' },
    { schemaVersion: 2, mediaType: OCI, layers: [] },
    { schemaVersion: 2, mediaType: OCI, config: { mediaType: 'x', digest: 'sha256:1', size: 1 }, layers: [] },
    { schemaVersion: 2, mediaType: OCI, config: descriptor('x', { size: -1 }), layers: [] },
    { schemaVersion: 2, mediaType: OCI, config: descriptor('x'), layers: {} },
    { schemaVersion: 2, manifests: Array.from({ length: 101 }, () => descriptor(OCI)) },
  ];
  for (const value of cases) throwsCode(() => parseManifest(encode(value), '', 'x'), 'bad-manifest');
  throwsCode(() => parseManifest(Buffer.from('{"a'), '', 'x'), 'bad-manifest');
  throwsCode(() => parseManifest(Buffer.of(0xff, 0xfe), '', 'x'), 'bad-manifest');
});

test('a manifest that says nothing of its type is told by the Content-Type, or by what it holds', () => {
  const value = { schemaVersion: 2, config: descriptor('x'), layers: [] };
  const typeOf = (contentType: string) => {
    const parsed = parseManifest(encode(value), contentType, 'x');
    return parsed.kind === 'manifest' ? parsed.mediaType : parsed.kind;
  };
  assert.equal(typeOf(DOCKER), DOCKER);
  assert.equal(typeOf('text/plain'), OCI);
});
