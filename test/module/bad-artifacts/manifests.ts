import { makeModule } from '../actors.ts';
import {
  type Artifact,
  type BadArtifact,
  DOCKER,
  IMAGE_CONFIG,
  INDEX,
  OCI,
  TAR_GZIP,
  WASM,
} from './artifact.ts';

const MODULE = makeModule('whole');
const zeros = '0'.repeat(64);

const text = (name: string, bytes: string | Buffer, contentType = OCI): BadArtifact => ({
  name: `manifest: ${name}`,
  code: 'bad-manifest',
  build: artifact => artifact.tag(Buffer.from(bytes), contentType),
});

/** A manifest whose one layer is a good module, with these fields instead. */
const changed = (name: string, fields: (artifact: Artifact) => object): BadArtifact => ({
  name: `manifest: ${name}`,
  code: 'bad-manifest',
  build: artifact => artifact.image([artifact.blob(WASM, MODULE)], IMAGE_CONFIG, fields(artifact)),
});

/** As `changed`, of its one layer. */
const layer = (name: string, fields: object): BadArtifact => ({
  name: `manifest: a layer ${name}`,
  code: 'bad-manifest',
  build: artifact => artifact.image([{ ...artifact.blob(WASM, MODULE), ...fields }]),
});

const many = (artifact: Artifact) =>
  Array.from({ length: 101 }, () => artifact.blob('text/plain', Buffer.from('x')));

export const BAD_MANIFESTS: readonly BadArtifact[] = [
  text('nothing', ''),
  text('cut off', '{"schemaVersion": 2, "layers": ['),
  text('a web page', '<!doctype html><title>Sign in</title>', 'text/html'),
  text('a list', '[]'),
  text('null', 'null'),
  text('no UTF-8', Buffer.from('7bfffe7d', 'hex')),
  text('brackets, a hundred thousand deep', '['.repeat(100_000)),
  text('objects, a hundred thousand deep', '{"a":'.repeat(100_000)),
  {
    name: 'manifest: more than 4 MiB',
    code: 'too-big',
    build: artifact => artifact.image([], IMAGE_CONFIG, { annotations: { x: 'x'.repeat(4 << 20) } }),
  },
  changed('schema version 1', () => ({ schemaVersion: 1 })),
  changed('schema version as a text', () => ({ schemaVersion: '2' })),
  changed('schema version as a text of a million letters', () => ({ schemaVersion: 'A'.repeat(1_000_000) })),
  changed('no schema version', () => ({ schemaVersion: undefined })),
  text(
    'Docker schema 1',
    JSON.stringify({ schemaVersion: 1, name: 'auth', fsLayers: [] }),
    'application/vnd.docker.distribution.manifest.v1+prettyjws',
  ),
  {
    name: 'manifest: a type that nobody knows',
    code: 'bad-manifest',
    build: artifact =>
      artifact.tag(
        { schemaVersion: 2, mediaType: 'application/x.other+json', config: artifact.config() },
        'application/json',
      ),
  },
  changed('image and index at once', artifact => ({ manifests: [artifact.manifest(artifact.toImage([]))] })),
  {
    name: 'manifest: index and image at once',
    code: 'bad-manifest',
    build: artifact => {
      const image = artifact.toImage([artifact.blob(WASM, MODULE)]);
      artifact.tag({ ...image, mediaType: INDEX, manifests: [artifact.manifest(image)] }, INDEX);
    },
  },
  changed('no layers at all', () => ({ layers: undefined })),
  changed('layers that are no list', () => ({ layers: { 0: {} } })),
  changed('more than 100 layers', artifact => ({ layers: many(artifact) })),
  changed('no config', () => ({ config: undefined })),
  changed('config null', () => ({ config: null })),
  changed('config without a digest', () => ({ config: { mediaType: IMAGE_CONFIG, size: 2 } })),
  changed('a layer that is null', () => ({ layers: [null] })),
  layer('without a type', { mediaType: undefined }),
  layer('with a type that is no text', { mediaType: 7 }),
  layer('without a digest', { digest: undefined }),
  layer('with a digest in capitals', { digest: `sha256:${'A'.repeat(64)}` }),
  layer('with a digest that is too short', { digest: 'sha256:00' }),
  layer('with md5', { digest: `md5:${'0'.repeat(32)}` }),
  layer('with a digest that is a path', { digest: `sha256:${'../'.repeat(21)}0` }),
  layer('of negative size', { size: -1 }),
  layer('of fractional size', { size: 1.5 }),
  layer('of a size beyond all measure', { size: 1e300 }),
  layer('of a size as a text', { size: '10' }),
  {
    name: 'manifest: asked for by digest, and other bytes come',
    code: 'wrong-digest',
    build: artifact => {
      const value = artifact.toImage([artifact.blob(WASM, MODULE)]);
      const bytes = Buffer.from(JSON.stringify(value));
      artifact.answer(`manifests/sha256:${zeros}`, response =>
        response.writeHead(200, { 'content-type': OCI }).end(bytes),
      );
      return `@sha256:${zeros}`;
    },
  },
  {
    name: 'manifest: the document pins another digest',
    code: 'wrong-digest',
    sha256: zeros,
    build: artifact => artifact.image([artifact.blob(WASM, MODULE)]),
  },
  { name: 'manifest: there is no such tag', code: 'module-not-found', build: () => ':none' },

  { name: 'index: empty', code: 'no-module', build: artifact => artifact.index([]) },
  {
    name: 'index: attestations alone',
    code: 'no-module',
    build: artifact => {
      const child = artifact.manifest(artifact.toImage([]));
      artifact.index([
        { ...child, platform: { os: 'unknown', architecture: 'unknown' } },
        { ...child, annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } },
      ]);
    },
  },
  {
    name: 'index: signatures and documents alone',
    code: 'no-module',
    build: artifact => artifact.index([artifact.blob('application/spdx+json', Buffer.from('{}'))]),
  },
  {
    name: 'index: several platforms, and neither Wasm nor linux/amd64',
    code: 'ambiguous-module',
    build: artifact => {
      const children = ['arm64', 's390x'].map(architecture => ({
        ...artifact.manifest(artifact.toImage([artifact.blob(WASM, MODULE)])),
        platform: { os: 'linux', architecture },
      }));
      artifact.index(children);
    },
  },
  {
    name: 'index: a platform of a million letters',
    code: 'ambiguous-module',
    build: artifact => {
      const child = artifact.manifest(artifact.toImage([artifact.blob(WASM, MODULE)]));
      artifact.index(
        ['A'.repeat(1_000_000), 'b'].map(os => ({ ...child, platform: { os, architecture: 'x' } })),
      );
    },
  },
  {
    name: 'index: children that are no list',
    code: 'bad-manifest',
    build: artifact => artifact.tag({ schemaVersion: 2, mediaType: INDEX, manifests: 'all' }, INDEX),
  },
  {
    name: 'index: more than 100 children',
    code: 'bad-manifest',
    build: artifact => artifact.index(many(artifact)),
  },
  {
    name: 'index: its child is not there',
    code: 'module-not-found',
    build: artifact => artifact.index([{ mediaType: OCI, digest: `sha256:${zeros}`, size: 2 }]),
  },
  {
    name: 'index: its child is other bytes',
    code: 'wrong-digest',
    build: artifact => {
      const child = artifact.manifest(artifact.toImage([artifact.blob(WASM, MODULE)]));
      artifact.answer(`manifests/${child.digest}`, response =>
        response.writeHead(200, { 'content-type': OCI }).end(JSON.stringify(artifact.toImage([]))),
      );
      artifact.index([child]);
    },
  },
  {
    name: 'index: of indexes of indexes of indexes',
    code: 'bad-manifest',
    build: artifact => {
      let child = artifact.manifest(artifact.toImage([artifact.blob(WASM, MODULE)]));
      for (let depth = 0; depth < 3; depth++)
        child = artifact.manifest({ schemaVersion: 2, mediaType: INDEX, manifests: [child] }, INDEX);
      artifact.index([child]);
    },
  },
  {
    name: 'index: its linux/amd64 image holds no module',
    code: 'no-module',
    build: artifact => {
      const image = artifact.toImage([artifact.blob('text/plain', Buffer.from('x'))]);
      artifact.index([{ ...artifact.manifest(image), platform: { os: 'linux', architecture: 'amd64' } }]);
    },
  },
  {
    name: 'index: of Docker images without a layer',
    code: 'no-module',
    build: artifact => {
      const image = { ...artifact.toImage([]), mediaType: DOCKER };
      artifact.index([artifact.manifest(image, DOCKER)]);
    },
  },
  {
    name: 'manifest: only layers of documentation beside an archive that is named by an unknown type',
    code: 'no-module',
    build: artifact => artifact.image([artifact.blob(`${TAR_GZIP}+lzma`, MODULE)]),
  },
];
