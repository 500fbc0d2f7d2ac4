import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { PUSH_LAYOUTS } from '../../src/model/artifact-layout.ts';
import { createModuleSource } from '../../src/module/fetch-module.ts';
import { ModuleError } from '../../src/module/module-error.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { makeCache, makeDirectory, makeModule, sourceOptions, startRegistry } from '../module/actors.ts';
import { OciLayout } from './oci-layout.ts';
import { REGISTRIES, skopeo, startDockerRegistry } from './tools.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';
const never = new AbortController().signal;

const push = (host: string, name: string, bytes: Uint8Array, dockerConfigPath?: string) =>
  pushModule({ bytes, reference: `${host}/${name}`, insecureRegistries: [], dockerConfigPath });

async function pull(t: TestContext, host: string, name: string, dockerConfigPath?: string) {
  const source = createModuleSource(await makeCache(t), sourceOptions([host], { dockerConfigPath }));
  stopAfter(t, { stop: () => source.close() });
  return source.fetch({ url: `oci://${host}/${name}` }, never);
}

const plain = ['--dest-tls-verify=false', '--src-tls-verify=false'];

/** An image with plugin.wasm in a gzipped layer, as buildx and buildah make them, in an OCI layout. */
async function buildImage(t: TestContext, bytes: Uint8Array) {
  const directory = await makeDirectory(t);
  const layout = new OciLayout(join(directory, 'layout'));
  await mkdir(join(directory, 'files'));
  await writeFile(join(directory, 'files', 'plugin.wasm'), bytes);
  const tar = execFileSync('tar', ['-C', join(directory, 'files'), '-cf', '-', 'plugin.wasm']);
  const diff = `sha256:${createHash('sha256').update(tar).digest('hex')}`;
  const config = await layout.json('application/vnd.oci.image.config.v1+json', {
    architecture: 'amd64',
    os: 'linux',
    config: {},
    rootfs: { type: 'layers', diff_ids: [diff] },
  });
  const layer = {
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    ...(await layout.blob(gzipSync(tar))),
  };
  const manifest = await layout.json(MANIFEST, {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config,
    layers: [layer],
  });
  return { layout, manifest };
}

for (const [name, start] of Object.entries(REGISTRIES)) {
  test(`${name}: what Attaché pushes, Attaché and skopeo pull, byte for byte`, async t => {
    const registry = await start(t);
    if (registry === undefined) return;
    const { host } = registry;
    const bytes = makeModule('pushed');
    const pushed = await push(host, 'team/auth:1', bytes);
    const pulled = await pull(t, host, 'team/auth:1');
    assert.deepEqual(pulled.bytes, Buffer.from(bytes));
    assert.equal(pulled.referenceDigest, pushed.manifestDigest);
    const seen = JSON.parse(
      await skopeo('inspect', '--raw', '--tls-verify=false', `docker://${host}/team/auth:1`),
    );
    assert.equal(seen.layers[0].digest, `sha256:${pushed.moduleSha256}`);
    const target = join(await makeDirectory(t), 'copy');
    await skopeo('copy', ...plain, `docker://${host}/team/auth:1`, `oci:${target}:it`);
    const again = await skopeo('copy', ...plain, `oci:${target}:it`, `docker://${host}/team/auth:2`);
    assert.ok(again !== undefined);
    assert.equal((await pull(t, host, 'team/auth:2')).referenceDigest, pushed.manifestDigest);
    const tags = JSON.parse(await skopeo('list-tags', '--tls-verify=false', `docker://${host}/team/auth`));
    assert.deepEqual(tags.Tags.sort(), ['1', '2']);
  });

  test(`${name}: every layout that Attaché pushes goes through skopeo and comes back the same`, async t => {
    const registry = await start(t);
    if (registry === undefined) return;
    const { host } = registry;
    const bytes = makeModule('layouts');
    for (const layout of PUSH_LAYOUTS) {
      const reference = `${host}/layouts:${layout}`;
      const { manifestDigest } = await pushModule({
        bytes,
        reference,
        layout,
        insecureRegistries: [],
        dockerConfigPath: undefined,
      });
      const target = join(await makeDirectory(t), 'copy');
      await skopeo('copy', '--all', ...plain, `docker://${reference}`, `oci:${target}:it`);
      await skopeo('copy', '--all', ...plain, `oci:${target}:it`, `docker://${host}/again:${layout}`);
      const again = await pull(t, host, `again:${layout}`);
      assert.equal(again.referenceDigest, manifestDigest);
      assert.deepEqual(again.bytes, Buffer.from(bytes));
    }
    // As Istio does: of an index the image for linux/amd64.
    const target = join(await makeDirectory(t), 'one');
    const linux = ['--override-os', 'linux', '--override-arch', 'amd64'];
    await skopeo(...linux, 'copy', ...plain, `docker://${host}/layouts:index`, `dir:${target}`);
    const manifest = JSON.parse(await readFile(join(target, 'manifest.json'), 'utf8'));
    const layer = join(target, manifest.layers[0].digest.slice('sha256:'.length));
    const listed = execFileSync('tar', ['-tvzf', layer]).toString();
    assert.match(listed, /^-rw-r--r-- 0\/0 +\d+ 1970-01-01 .* plugin\.wasm\n$/);
    assert.deepEqual(execFileSync('tar', ['-xzOf', layer, 'plugin.wasm']), Buffer.from(bytes));
  });

  test(`${name}: OCI and Docker images that skopeo pushes are read`, async t => {
    const registry = await start(t);
    if (registry === undefined) return;
    const { host } = registry;
    const bytes = makeModule('image');
    const { layout, manifest } = await buildImage(t, bytes);
    await layout.finish(manifest);
    const from = `oci:${layout.directory}:it`;
    for (const [format, layoutName] of [
      ['oci', 'compat-image'],
      ['v2s2', 'docker-image'],
    ] as const) {
      await skopeo('copy', ...plain, '--format', format, from, `docker://${host}/image:${format}`);
      const pulled = await pull(t, host, `image:${format}`);
      assert.equal(pulled.layout, layoutName);
      assert.deepEqual(pulled.bytes, Buffer.from(bytes));
    }
  });

  test(`${name}: of an index that skopeo pushes the Wasm image is taken, not the attestation`, async t => {
    const registry = await start(t);
    if (registry === undefined) return;
    const { host } = registry;
    const { layout, manifest } = await buildImage(t, makeModule('in linux'));
    const wasm = await buildImage(t, makeModule('in wasm'));
    execFileSync('cp', ['-r', `${wasm.layout.directory}/blobs`, layout.directory]);
    const attested = await layout.json(MANIFEST, {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: await layout.json('application/vnd.oci.image.config.v1+json', {
        rootfs: { type: 'layers', diff_ids: [] },
      }),
      layers: [],
    });
    const index = await layout.json(INDEX, {
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [
        { ...manifest, platform: { os: 'linux', architecture: 'amd64' } },
        { ...wasm.manifest, platform: { os: 'wasip1', architecture: 'wasm' } },
        {
          ...attested,
          platform: { os: 'unknown', architecture: 'unknown' },
          annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
        },
      ],
    });
    await layout.finish(index);
    await skopeo('copy', '--all', ...plain, `oci:${layout.directory}:it`, `docker://${host}/index:1`);
    const pulled = await pull(t, host, 'index:1');
    assert.deepEqual(pulled.bytes, Buffer.from(makeModule('in wasm')));
    assert.equal(pulled.referenceDigest, index.digest);
    assert.equal(pulled.manifestDigest, wasm.manifest.digest);
    const linux = await pull(t, host, `index@${manifest.digest}`);
    assert.deepEqual(linux.bytes, Buffer.from(makeModule('in linux')));
  });

  test(`${name}: a tag that does not exist is said to be missing`, async t => {
    const registry = await start(t);
    if (registry === undefined) return;
    const { host } = registry;
    await push(host, 'auth:1', makeModule('x'));
    await assert.rejects(
      pull(t, host, 'auth:2'),
      (error: unknown) => error instanceof ModuleError && error.code === 'module-not-found',
    );
  });
}

test('docker-registry with htpasswd: the user of a docker config.json may push and pull, nobody else', async t => {
  const directory = await makeDirectory(t);
  // ann:secret
  const hash = '$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a';
  await writeFile(join(directory, 'htpasswd'), `ann:${hash}\n`);
  const { host } = await startDockerRegistry(
    t,
    `auth: {htpasswd: {realm: test, path: ${join(directory, 'htpasswd')}}}`,
  );
  const config = join(directory, 'config.json');
  const auth = Buffer.from('ann:secret').toString('base64');
  await writeFile(config, JSON.stringify({ auths: { [host]: { auth } } }));
  const bytes = makeModule('private');
  const unauthorized = (error: unknown) => error instanceof ModuleError && error.code === 'unauthorized';
  await assert.rejects(push(host, 'auth:1', bytes), unauthorized);
  await push(host, 'auth:1', bytes, config);
  assert.deepEqual((await pull(t, host, 'auth:1', config)).bytes, Buffer.from(bytes));
  await assert.rejects(pull(t, host, 'auth:1'), unauthorized);
});

test('the module directory is an OCI layout that skopeo reads', async t => {
  const { host, cache } = await startRegistry(t);
  const pushed = await push(host, 'auth:1', makeModule('layout'));
  const raw = await skopeo('inspect', '--raw', `oci:${cache.directory}:auth:1`);
  assert.equal(`sha256:${createHash('sha256').update(raw).digest('hex')}`, pushed.manifestDigest);
});

test('the built-in registry: skopeo deletes what it pushed, and the bytes that others need stay', async t => {
  const { host } = await startRegistry(t);
  const bytes = makeModule('deleted');
  const { manifestDigest } = await push(host, 'auth:1', bytes);
  await skopeo('copy', ...plain, `docker://${host}/auth:1`, `docker://${host}/copy:1`);
  await skopeo('delete', '--tls-verify=false', `docker://${host}/auth:1`);
  await assert.rejects(pull(t, host, 'auth:1'));
  assert.equal((await pull(t, host, 'copy:1')).referenceDigest, manifestDigest);
});
