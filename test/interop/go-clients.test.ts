/** Current clients, built from Go's module proxy, against the built-in registry and what Attaché pushes, both ways. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { PUSH_LAYOUTS } from '../../src/model/artifact-layout.ts';
import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { inspectReference } from '../../src/module/inspect-module.ts';
import { pushModule } from '../../src/module/push-module.ts';
import { makeDirectory, makeModule, random, startRegistry } from '../module/actors.ts';
import { pullBytes } from '../module/pull-bytes.ts';
import { CRANE, findGoTool, ORAS, runTool } from './go-tools.ts';
import { REGISTRIES } from './tools.ts';

const MODULE = makeModule('go clients');
const access = { insecureRegistries: [], dockerConfigPath: undefined };
const pull = (reference: string) => pullBytes({ ...access, reference, random });
const push = (reference: string, layout: (typeof PUSH_LAYOUTS)[number] = 'cncf') =>
  pushModule({ ...access, bytes: MODULE, reference, layout });

for (const [name, start] of Object.entries(REGISTRIES)) {
  test(`${name}: oras pulls what Attaché pushes, and Attaché what oras pushes`, async t => {
    const program = await findGoTool(t, ORAS);
    if (program === undefined) return;
    const registry = await start(t);
    if (registry === undefined) return;
    const directory = await makeDirectory(t);
    const oras = (...args: string[]) => runTool(program, args, directory);
    const { host } = registry;
    const pushed = await push(`${host}/team/auth:1`);
    const manifest = await oras('manifest', 'fetch', '--plain-http', `${host}/team/auth:1`);
    assert.equal(`sha256:${sha256Hex(Buffer.from(manifest))}`, pushed.manifestDigest);
    await oras('pull', '--plain-http', '-o', 'pulled', `${host}/team/auth:1`);
    assert.deepEqual(await readFile(join(directory, 'pulled', 'plugin.wasm')), Buffer.from(MODULE));
    await push(`${host}/team/auth:solo`, 'solo-io');
    await oras('pull', '--plain-http', '-o', 'solo', `${host}/team/auth:solo`);
    assert.deepEqual(await readFile(join(directory, 'solo', 'plugin.wasm')), Buffer.from(MODULE));

    await writeFile(join(directory, 'plugin.wasm'), MODULE);
    await oras('push', '--plain-http', `${host}/team/new:1`, 'plugin.wasm:application/wasm');
    const asArtifact = ['--artifact-type', 'application/vnd.example.plugin', '--annotation', 'k=v'];
    await oras('push', '--plain-http', ...asArtifact, `${host}/team/new:2`, 'plugin.wasm');
    // A file that is pushed without a type is said to be a tar, and is none.
    for (const tag of ['1', '2']) {
      const { bytes, layout } = await pull(`${host}/team/new:${tag}`);
      assert.deepEqual([bytes, layout], [Buffer.from(MODULE), 'oras']);
    }
    const { artifact } = await inspectReference({ ...access, reference: `${host}/team/new:2`, random });
    assert.equal(artifact?.manifest?.artifactType, 'application/vnd.example.plugin');
    assert.equal(artifact?.manifest?.annotations.k, 'v');
    const tags = await oras('repo', 'tags', '--plain-http', `${host}/team/new`);
    assert.deepEqual(tags.trim().split('\n').sort(), ['1', '2']);
    assert.match(await oras('repo', 'ls', '--plain-http', host), /team\/auth\n.*team\/new/s);
  });

  test(`${name}: crane validates and exports every layout that Attaché pushes, and copies it`, async t => {
    const program = await findGoTool(t, CRANE);
    if (program === undefined) return;
    const registry = await start(t);
    if (registry === undefined) return;
    const directory = await makeDirectory(t);
    const crane = (...args: string[]) => runTool(program, [...args, '--insecure'], directory);
    const { host } = registry;
    for (const layout of PUSH_LAYOUTS) {
      const { manifestDigest } = await push(`${host}/auth:${layout}`, layout);
      assert.equal((await crane('digest', `${host}/auth:${layout}`)).trim(), manifestDigest);
      await crane('copy', `${host}/auth:${layout}`, `${host}/copy:${layout}`);
      const copied = await pull(`${host}/copy:${layout}`);
      assert.deepEqual(copied.bytes, Buffer.from(MODULE));
      assert.equal(copied.referenceDigest, manifestDigest);
    }
    // It unpacks layers of images; a layer that is no archive it does not take for one.
    await crane('validate', '--remote', `${host}/auth:compat`);
    await crane('export', `${host}/auth:compat`, 'files.tar');
    await runTool('tar', ['-xf', 'files.tar'], directory);
    assert.deepEqual(await readFile(join(directory, 'plugin.wasm')), Buffer.from(MODULE));
    await runTool('tar', ['-czf', 'layer.tar.gz', 'plugin.wasm'], directory);
    await crane(
      'append',
      '--new_layer',
      'layer.tar.gz',
      '--new_tag',
      `${host}/appended:1`,
      '--oci-empty-base',
    );
    assert.deepEqual((await pull(`${host}/appended:1`)).bytes, Buffer.from(MODULE));
    await crane('tag', `${host}/auth:compat`, 'stable');
    assert.match(await crane('ls', `${host}/auth`), /^stable$/m);
    assert.match(await crane('catalog', host), /^appended$/m);
  });
}

test('the built-in registry: oras attaches, discovers and deletes', async t => {
  const program = await findGoTool(t, ORAS);
  if (program === undefined) return;
  const { host } = await startRegistry(t);
  const directory = await makeDirectory(t);
  const oras = (...args: string[]) => runTool(program, args, directory);
  const { manifestDigest } = await push(`${host}/auth:1`);
  await writeFile(join(directory, 'sbom.json'), '{}');
  const type = ['--artifact-type', 'application/vnd.example.sbom'];
  await oras('attach', '--plain-http', ...type, `${host}/auth:1`, 'sbom.json');
  const found = JSON.parse(await oras('discover', '--plain-http', '--format', 'json', `${host}/auth:1`));
  const [referrer] = found.referrers ?? found.manifests;
  assert.equal(referrer.artifactType, 'application/vnd.example.sbom');
  const tags = await oras('repo', 'tags', '--plain-http', `${host}/auth`);
  assert.equal(tags.trim(), '1', 'the API was used, no tag stands in for it');
  await oras('cp', '-r', '--from-plain-http', '--to-plain-http', `${host}/auth:1`, `${host}/mirror/auth:1`);
  const copied = await fetch(`http://${host}/v2/mirror/auth/referrers/${manifestDigest}`);
  assert.equal(((await copied.json()) as { manifests: unknown[] }).manifests.length, 1);
  await oras('manifest', 'delete', '--plain-http', '-f', `${host}/auth@${referrer.digest}`);
  await oras('manifest', 'delete', '--plain-http', '-f', `${host}/auth@${manifestDigest}`);
  await assert.rejects(oras('manifest', 'fetch', '--plain-http', `${host}/auth:1`), /not found/);
  assert.deepEqual((await pull(`${host}/mirror/auth:1`)).bytes, Buffer.from(MODULE));
});

test('the built-in registry: a blob of 40 MiB goes through oras and crane', async t => {
  const program = await findGoTool(t, ORAS);
  const crane = await findGoTool(t, CRANE);
  if (program === undefined || crane === undefined) return;
  const { host } = await startRegistry(t);
  const directory = await makeDirectory(t);
  const bytes = Buffer.alloc(40 << 20, 'some text that repeats ');
  await writeFile(join(directory, 'big.bin'), bytes);
  await runTool(program, ['push', '--plain-http', `${host}/big:1`, 'big.bin'], directory);
  await runTool(program, ['pull', '--plain-http', '-o', 'out', `${host}/big:1`], directory);
  assert.equal(sha256Hex(await readFile(join(directory, 'out', 'big.bin'))), sha256Hex(bytes));
  await runTool(crane, ['copy', '--insecure', `${host}/big:1`, `${host}/mirror/big:1`], directory);
});
