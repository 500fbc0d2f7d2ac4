import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CatalogueItemView } from '../../src/api/schema/catalogue-view.ts';
import type { CommandContext, CommandPorts } from '../../src/cli/command-context.ts';
import { toRegistryTarget } from '../../src/cli/registry-target.ts';
import type { ModuleInspection } from '../../src/model/module-inspection.ts';
import { folder, run, withServer } from './run-main.ts';

const SERVER = ['--server', 'http://127.0.0.1:18002'];
const MODULE = Buffer.from('\0asm\x01\0\0\0', 'latin1');
const SHA256 = '9f2c4be01d77'.padEnd(64, 'a');
const DIGEST = `sha256:${'5'.repeat(64)}`;

/** Ports that note what they are asked. */
function record(over: Partial<CommandPorts>): { ports: CommandContext['ports']; asked: unknown[] } {
  const asked: unknown[] = [];
  const ports = Object.fromEntries(
    Object.entries(over).map(([name, port]) => [
      name,
      async (request: unknown) => {
        asked.push(request);
        return (port as (request: unknown) => unknown)(request);
      },
    ]),
  );
  return { ports: ports as unknown as CommandPorts, asked };
}

test('what a reference may be: a digest only where something is read', () => {
  const server = 'http://127.0.0.1:18002';
  const pinned = `auth:1@${DIGEST}`;
  assert.equal(toRegistryTarget(pinned, server, true).reference, `127.0.0.1:18002/${pinned}`);
  assert.equal(toRegistryTarget(`r.example/a@${DIGEST}`, server, true).host, 'r.example');
  for (const bad of [pinned, 'auth@sha256:1', 'Auth', 'a b', ''])
    assert.throws(() => toRegistryTarget(bad, server, bad !== pinned), { code: 'bad-usage' }, bad);
});

test('push annotates what its flags say, created as SOURCE_DATE_EPOCH says', async () => {
  const file = join(folder, 'annotated.wasm');
  writeFileSync(file, MODULE);
  const { ports, asked } = record({
    pushModule: async () => ({ manifestDigest: DIGEST, moduleSha256: SHA256 }),
  });
  const flags = [
    ...[
      '--version-label',
      '1.4',
      '--licence',
      'MIT',
      '--source',
      'https://git.example/auth',
      '--title',
      'Auth',
    ],
    ...['--annotation', 'a=b=c', '--annotation', 'org.opencontainers.image.title=other', '--layout', 'index'],
  ];
  const env = { SOURCE_DATE_EPOCH: '1000000000' };
  const ran = await run(['push', file, 'auth:1', ...SERVER, ...flags], { ports, env });
  assert.equal(ran.code, 0, ran.err);
  assert.match(ran.out, /^pushed 8 B to the built-in registry as index\n/);
  const [request] = asked as { annotations: object; createdMs: number; layout: string }[];
  assert.deepEqual(request?.annotations, {
    a: 'b=c',
    'org.opencontainers.image.title': 'Auth',
    'org.opencontainers.image.version': '1.4',
    'org.opencontainers.image.licenses': 'MIT',
    'org.opencontainers.image.source': 'https://git.example/auth',
  });
  assert.deepEqual([request?.layout, request?.createdMs], ['index', 1e12]);
  for (const bad of [
    ['--layout', 'tar'],
    ['--annotation', 'x'],
  ])
    assert.equal((await run(['push', file, 'auth:1', ...SERVER, ...bad], { ports })).code, 2);
  const odd = await run(['push', file, 'auth:1', ...SERVER], { ports, env: { SOURCE_DATE_EPOCH: 'now' } });
  assert.equal(odd.code, 2);
});

test('pull writes a whole file, where it is told to or beside none of its name', async () => {
  const pulled = { sizeBytes: 8, sha256: SHA256, layout: 'cncf', referenceDigest: DIGEST };
  const { ports, asked } = record({
    async pullModule({ path }) {
      writeFileSync(path, MODULE);
      return pulled;
    },
  });
  const file = join(folder, 'pulled.wasm');
  const ran = await run(['pull', 'r.example/team/auth:1', '-o', file, ...SERVER], { ports });
  assert.equal(ran.code, 0, ran.err);
  assert.deepEqual(readFileSync(file), MODULE);
  assert.match(ran.out, /^pulled 8 B from r\.example to .*pulled\.wasm\n {2}digest: sha256:5+\n/);
  assert.match(ran.out, /module sha256: 9f2c4be01d77a+ {3}\(layout cncf\)/);
  const nowhere = await run(['pull', 'auth:1', '-o', join(folder, 'none', 'x.wasm'), ...SERVER], { ports });
  assert.deepEqual([nowhere.code, existsSync(join(folder, 'none'))], [1, false]);
  await run(['pull', 'https://files.example/auth.wasm', '-o', file], { ports });
  assert.equal((asked.at(-1) as { reference: string }).reference, 'https://files.example/auth.wasm');
  const before = process.cwd();
  try {
    process.chdir(folder);
    assert.equal((await run(['pull', `team/own@${DIGEST}`, ...SERVER], { ports })).code, 0);
    assert.ok(existsSync(join(folder, 'own.wasm')));
    assert.match((await run(['pull', 'own:2', ...SERVER], { ports })).err, /own\.wasm exists already/);
  } finally {
    process.chdir(before);
  }
});

test('tag hands both on and prints the line to paste', async () => {
  const { ports, asked } = record({ tagArtifact: async () => ({ digest: DIGEST }) });
  const ran = await run(['tag', 'r.example:5000/auth:1', 'stable', ...SERVER], { ports });
  assert.deepEqual(ran.out.split('\n').slice(0, 2), [
    'tagged r.example:5000/auth:1',
    '  url: oci://r.example:5000/auth:stable',
  ]);
  assert.equal((asked[0] as { tag: string }).tag, 'stable');
  assert.equal((await run(['tag', 'auth:1', 'a/b', ...SERVER], { ports })).code, 2);
});

const INSPECTION: ModuleInspection = {
  name: 'r.example/auth:1',
  artifact: {
    digest: DIGEST,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    children: [],
    manifest: {
      digest: DIGEST,
      artifactType: undefined,
      configType: 'application/vnd.wasm.config.v0+json',
      layers: [{ mediaType: 'application/wasm', digest: `sha256:${SHA256}`, sizeBytes: 8, title: undefined }],
      annotations: { 'org.opencontainers.image.version': '1\n.4' },
    },
    signatures: { state: 'unchecked', text: '1 attached, not checked: give --key FILE' },
  },
  module: {
    sha256: SHA256,
    sizeBytes: 8,
    layout: 'cncf',
    abi: '0.2.1',
    memoryPages: 2,
    imports: [{ kind: 'function', name: 'env.proxy_log', signature: 'i32,i32,i32->i32' }],
    exports: [
      { kind: 'function', name: 'proxy_on_log', signature: 'i32->' },
      { kind: 'memory', name: 'memory', signature: undefined },
    ],
  },
};

test('inspect draws what a reference names', async () => {
  const { ports } = record({ inspectReference: async () => INSPECTION });
  const { code, out } = await run(['inspect', 'r.example/auth:1', ...SERVER], { ports });
  assert.equal(code, 0);
  assert.equal(
    out,
    `r.example/auth:1   cncf   8 B
  reference digest  ${DIGEST}
  module sha256     ${SHA256}
  ABI               0.2.1
  memory at start   128 KiB
  signature         1 attached, not checked: give --key FILE
layers
  config application/vnd.wasm.config.v0+json
  TYPE              SIZE  DIGEST        TITLE
  application/wasm  8 B   9f2c4be01d77  –
annotations
  org.opencontainers.image.version   1 .4
imports (1)
  env.proxy_log (i32,i32,i32) -> i32
exports (2)
  proxy_on_log (i32)
  memory   memory
`,
  );
  const json = await run(['inspect', 'r.example/auth:1', '-o', 'json', ...SERVER], { ports });
  assert.equal(JSON.parse(json.out).module.sha256, SHA256);
});

test('inspect exits 1 where there is no module, or where its signature does not hold', async () => {
  const fault = { code: 'no-module', message: 'no layer is a module', hint: 'Push one.' };
  const { module: _, ...without } = INSPECTION;
  const none = record({ inspectReference: async () => ({ ...without, fault }) });
  const ran = await run(['inspect', 'r.example/auth:1', ...SERVER], none);
  assert.equal(ran.code, 1);
  assert.match(ran.out, /no module: no layer is a module\n {2}Push one\.\n/);
  const key = join(folder, 'cosign.pub');
  writeFileSync(key, '-----BEGIN PUBLIC KEY-----\n');
  const keyed = record({ inspectReference: async () => INSPECTION });
  const flags = ['--key', key, ...SERVER];
  assert.equal((await run(['inspect', 'r.example/auth:1', ...flags], keyed)).code, 1);
  assert.match((keyed.asked[0] as { verificationKey: string }).verificationKey, /^-----BEGIN/);
  writeFileSync(key, 'text');
  assert.match((await run(['inspect', 'r.example/auth:1', ...flags], keyed)).err, /not a public key/);
  assert.equal((await run(['inspect', key, ...flags], keyed)).code, 2);
});

test('inspect takes what is a file here, or looks like one, for a file', async () => {
  const file = join(folder, 'here.wasm');
  writeFileSync(file, MODULE);
  const { artifact: _, ...inspection } = INSPECTION;
  const { ports, asked } = record({ inspectFile: async () => inspection });
  for (const path of [file, 'missing.wasm', './missing']) await run(['inspect', path, ...SERVER], { ports });
  assert.deepEqual(asked, [file, 'missing.wasm', './missing']);
});

const ITEM: CatalogueItemView = {
  kind: 'CatalogueItem',
  repository: 'team/auth',
  tags: ['1.4', 'latest'],
  digest: DIGEST,
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  artifactType: null,
  sizeBytes: 254_000,
  pushedAt: '2020-01-01T00:00:00.000Z',
  annotations: {
    'org.opencontainers.image.version': '1.4.0',
    'org.opencontainers.image.licenses': 'MIT',
    'org.opencontainers.image.title': 'Basic authentication',
    'org.opencontainers.image.description': `of ${'everybody '.repeat(10)}`,
  },
};

test('search lists what matches, and says what the limit left out', async () => {
  const answers = {
    'GET /v1/catalogue?q=auth+licenses%3Dmit&limit=200': { kind: 'CatalogueList', items: [ITEM], total: 3 },
    'GET /v1/catalogue?q=none&limit=5': { kind: 'CatalogueList', items: [], total: 0 },
  };
  await withServer(answers, async server => {
    const found = await run(['search', 'auth', 'licenses=mit', '--server', server]);
    assert.equal(found.code, 0, found.err);
    const [head, row] = found.out.split('\n');
    assert.match(head ?? '', /^NAME +ALSO +VERSION +SIZE +LICENCE +DIGEST +PUSHED +ABOUT$/);
    assert.match(
      row ?? '',
      /^team\/auth:1\.4 +latest +1\.4\.0 +254 KB +MIT +5{12} +\d+d +Basic authentication: of every.*…$/,
    );
    assert.equal(found.err, '2 more: --limit 3\n');
    const named = await run(['search', 'auth', 'licenses=mit', '-o', 'name', '--server', server]);
    assert.equal(named.out, 'team/auth:1.4\n');
    const none = await run(['search', 'none', '--limit', '5', '--server', server]);
    assert.deepEqual([none.code, none.out, none.err], [0, '', 'nothing matches none\n']);
  });
});
