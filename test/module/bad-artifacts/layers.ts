import { makeModule } from '../actors.ts';
import { type Artifact, type BadArtifact, CNCF_CONFIG, IMAGE_CONFIG, send, WASM } from './artifact.ts';

const MODULE = makeModule('whole');
const OTHER = makeModule('other');
const SOLO_CONFIG = 'application/vnd.module.wasm.config.v1+json';
const SOLO = 'application/vnd.module.wasm.content.layer.v1+wasm';
const EMPTY_CONFIG = 'application/vnd.oci.empty.v1+json';
const title = (name: string) => ({ annotations: { 'org.opencontainers.image.title': name } });
const plain = (artifact: Artifact) => artifact.blob('text/markdown', Buffer.from('# auth'));

/** Layers and layouts. */
const of = (
  name: string,
  code: BadArtifact['code'],
  layers: (artifact: Artifact) => readonly unknown[],
  configType = IMAGE_CONFIG,
): BadArtifact => ({
  name: `layers: ${name}`,
  code,
  build: artifact => artifact.image(layers(artifact), configType),
});

/** One raw layer whose blob is answered otherwise than its descriptor says. */
const answered = (
  name: string,
  code: BadArtifact['code'],
  answer: (artifact: Artifact, path: string, bytes: Buffer) => void,
): BadArtifact => ({
  name: `blob: ${name}`,
  code,
  build: artifact => {
    const bytes = Buffer.from(makeModule(name));
    const layer = artifact.blob(WASM, bytes);
    answer(artifact, `blobs/${layer.digest}`, bytes);
    artifact.image([layer]);
  },
});

const sized = (name: string, code: BadArtifact['code'], size: number): BadArtifact =>
  of(`a module whose descriptor says ${name}`, code, artifact => [
    artifact.blob(WASM, makeModule(name), { size }),
  ]);

export const BAD_LAYERS: readonly BadArtifact[] = [
  of('none', 'no-module', () => []),
  of('documentation alone', 'no-module', artifact => [plain(artifact)]),
  of('two modules', 'ambiguous-module', artifact => [
    artifact.blob(WASM, MODULE),
    artifact.blob(WASM, OTHER),
  ]),
  of('the same module twice', 'ambiguous-module', artifact => [
    artifact.blob(WASM, MODULE),
    artifact.blob(WASM, MODULE),
  ]),
  of('CNCF, none', 'bad-manifest', () => [], CNCF_CONFIG),
  of(
    'CNCF, a module and documentation',
    'bad-manifest',
    artifact => [artifact.blob(WASM, MODULE), plain(artifact)],
    CNCF_CONFIG,
  ),
  of('CNCF, not a module', 'no-module', artifact => [plain(artifact)], CNCF_CONFIG),
  of(
    'wasme, its configuration alone',
    'no-module',
    artifact => [artifact.blob(SOLO_CONFIG, Buffer.from('{}'))],
    SOLO_CONFIG,
  ),
  of('wasme, none', 'no-module', () => [], SOLO_CONFIG),
  of(
    'wasme, two contents',
    'ambiguous-module',
    artifact => [artifact.blob(SOLO, MODULE), artifact.blob(SOLO, OTHER)],
    SOLO_CONFIG,
  ),
  of(
    'wasme, its content is JSON',
    'not-wasm',
    artifact => [artifact.blob(SOLO, Buffer.from('{"type":"envoy_proxy"}'))],
    SOLO_CONFIG,
  ),
  of(
    'wasme, its content is an archive',
    'not-wasm',
    artifact => [artifact.blob(SOLO, Buffer.from('1f8b0800', 'hex'))],
    SOLO_CONFIG,
  ),
  of(
    'ORAS, two files that end in .wasm',
    'ambiguous-module',
    artifact =>
      ['a.wasm', 'b.wasm'].map(name => artifact.blob('application/octet-stream', MODULE, title(name))),
    EMPTY_CONFIG,
  ),
  of(
    'ORAS, a file without a name',
    'no-module',
    artifact => [artifact.blob('application/octet-stream', MODULE)],
    EMPTY_CONFIG,
  ),
  of(
    'ORAS, a text file that ends in .wasm',
    'not-wasm',
    artifact => [artifact.blob('application/octet-stream', Buffer.from('(module)'), title('a.wasm'))],
    EMPTY_CONFIG,
  ),
  sized('32 MiB', 'module-too-big', 32 << 20),
  sized('no bytes', 'wrong-digest', 0),
  sized('a byte less', 'wrong-digest', 1),
  sized('a MiB more', 'wrong-digest', 1 << 20),
  answered('it is not there', 'module-not-found', (artifact, path) =>
    artifact.answer(path, response => send(response, Buffer.from('{}'), 'application/json', 404)),
  ),
  answered('other bytes of the same size', 'wrong-digest', (artifact, path, bytes) =>
    artifact.answer(path, response =>
      send(response, Buffer.from(bytes).fill(1, 20, 21), 'application/octet-stream'),
    ),
  ),
  answered('cut off, and the length says so', 'wrong-digest', (artifact, path, bytes) =>
    artifact.answer(path, response => send(response, bytes.subarray(0, -1), 'application/octet-stream')),
  ),
  answered('something behind it', 'wrong-digest', (artifact, path, bytes) =>
    artifact.answer(path, response =>
      send(response, Buffer.concat([bytes, bytes]), 'application/octet-stream'),
    ),
  ),
  answered('it never ends', 'wrong-digest', (artifact, path) =>
    artifact.answer(path, response => {
      const timer = setInterval(() => response.write(Buffer.alloc(1 << 16)), 1);
      response.once('close', () => clearInterval(timer));
    }),
  ),
  answered('the connection breaks in the middle', 'registry-unreachable', (artifact, path, bytes) =>
    artifact.answer(path, response => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 10), () => response.destroy());
    }),
  ),
  answered('a redirect that goes round', 'redirect-refused', (artifact, path) =>
    artifact.answer(path, response =>
      response.writeHead(307, { location: path.replace('blobs/', '') }).end(),
    ),
  ),
  answered('a redirect to a local file', 'redirect-refused', (artifact, path) =>
    artifact.answer(path, response => response.writeHead(307, { location: 'file:///etc/passwd' }).end()),
  ),
  answered('the registry says no', 'denied', (artifact, path) =>
    artifact.answer(path, response => send(response, Buffer.from('{}'), 'application/json', 403)),
  ),
];
