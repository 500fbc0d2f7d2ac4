/** `attache check`: what Envoys would do with a file, with nothing but this machine. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { buildPlugin } from '../../plugins/build.ts';
import type { PluginDocument } from '../../src/model/plugin-document.ts';
import { checkFile } from '../../src/module/check-file.ts';
import { readCorpus } from '../fixtures/agreement/corpus.ts';
import { handMadeCases } from '../fixtures/agreement/hand-made.ts';
import { buildProxyWasm } from '../fixtures/wasm-builder.ts';
import { loop } from '../fixtures/wasm-code.ts';
import { THIRD_PARTY_ROOT_ID, thirdPartyModule } from '../harness/fixture-modules.ts';
import { runAttache } from '../harness/run-attache.ts';
import { systemClock } from '../module/actors.ts';

const folder = await mkdtemp(join(tmpdir(), 'attache-check-'));
after(() => rm(folder, { recursive: true }));

let files = 0;
async function write(bytes: Uint8Array): Promise<string> {
  const path = join(folder, `${files++}.wasm`);
  await writeFile(path, bytes);
  return path;
}

async function check(bytes: Uint8Array, plugin: Partial<PluginDocument> = {}, ...envoyVersions: string[]) {
  const document = { namespace: 'default', name: 'it', url: 'file:///it.wasm', ...plugin };
  return checkFile({ path: await write(bytes), plugin: document, envoyVersions, clock: systemClock });
}

test('a good module is accepted by every release, in an archive too', async () => {
  const { bytes } = await buildPlugin('add-header');
  const found = await check(gzipSync(bytes), { pluginConfig: { value: 'x' } }, '1.36.2', '1.40.0');
  assert.deepEqual(
    found.releases.map(({ envoyVersion, result }) => [envoyVersion, result]),
    [
      ['1.36.2', 'accepted'],
      ['1.40.0', 'accepted'],
    ],
  );
  assert.equal(found.module?.abi, '0.2.1');
});

test('a release that lacks a host function refuses, and a newer one does not', async () => {
  const imports = [{ module: 'wasi_snapshot_preview1', name: 'sock_shutdown', type: 'i32,i32->i32' }];
  const { releases } = await check(buildProxyWasm({ imports }), {}, '1.36.2', '1.40.0');
  assert.deepEqual(
    releases.map(({ result, fault }) => [result, fault?.code]),
    [
      ['refused', 'unknown-import'],
      ['accepted', undefined],
    ],
  );
});

test('a plugin that refuses its configuration is quoted', async () => {
  const { bytes } = await buildPlugin('faulty/refuses-config-by-value');
  const { releases } = await check(bytes, { pluginConfig: { refuse: true } });
  assert.equal(releases[0]?.fault?.code, 'trial-refused');
  assert.deepEqual(releases[0]?.run?.logs, [{ level: 'error', message: 'refuse: is true' }]);
  assert.deepEqual(
    releases[0]?.fault?.faults.map(({ pointer }) => pointer),
    ['/spec/pluginConfig'],
  );
});

test('a configuration that does not fit the schema of the module is refused before it runs', async () => {
  const { bytes } = await buildPlugin('add-header');
  const [release] = (await check(bytes, { pluginConfig: { value: 5 } })).releases;
  assert.deepEqual([release?.fault?.code, release?.run], ['config-mismatch', undefined]);
});

test('a plugin not written by us runs under its name, and traps under another', async () => {
  const { bytes } = await thirdPartyModule();
  const pluginConfig = { value: 'x' };
  const good = await check(bytes, { pluginName: THIRD_PARTY_ROOT_ID, pluginConfig });
  assert.equal(good.releases[0]?.result, 'accepted');
  const bad = await check(bytes, { pluginName: 'other', pluginConfig });
  assert.equal(bad.releases[0]?.fault?.code, 'trial-trapped');
  // So it does in Envoy.
  const bare = await check(bytes, { pluginName: THIRD_PARTY_ROOT_ID });
  assert.equal(bare.releases[0]?.fault?.code, 'trial-trapped');
});

test('a plugin that says no after it asked for what only a node knows is left to a node', async () => {
  const asks = handMadeCases().find(({ name }) => name === 'property of the node');
  const [release] = (await check(asks?.bytes ?? new Uint8Array())).releases;
  assert.deepEqual([release?.result, release?.reason], ['unsure', 'proxy_on_configure says no']);
  assert.deepEqual(release?.run?.wanted.properties, ['xds.node.id']);
});

test('a plugin without end is ended', async () => {
  const exports = [{ name: 'proxy_on_vm_start', type: 'i32,i32->i32', code: [...loop([0x41, 1]), 0x41, 1] }];
  const { releases } = await check(buildProxyWasm({ exports }));
  assert.equal(releases[0]?.fault?.code, 'trial-timeout');
});

test('what is no module is told as one', async () => {
  const none = await check(Buffer.from('#!/bin/sh'));
  assert.deepEqual([none.module, none.releases, none.fault?.code], [undefined, [], 'not-wasm']);
  const [whole] = readCorpus();
  const cut = await check(whole?.bytes.subarray(0, 400) ?? new Uint8Array());
  assert.equal(cut.fault?.code, 'broken-wasm');
  const noPlugin = await check((await buildPlugin('faulty/no-abi')).bytes);
  assert.equal(noPlugin.releases[0]?.fault?.code, 'no-proxy-abi');
  const request = { plugin: { namespace: 'a', name: 'b', url: '' }, envoyVersions: [], clock: systemClock };
  await assert.rejects(checkFile({ path: join(folder, 'nowhere'), ...request }), { code: 'ENOENT' });
});

test('the command needs no server', async () => {
  const module = readCorpus().find(({ toolchain }) => toolchain.startsWith('Zig'));
  const path = await write(module?.bytes ?? new Uint8Array());
  const good = await runAttache(['check', path]);
  assert.deepEqual([good.code, good.err], [0, '']);
  assert.match(good.out, /accepted, started in \d+ ms\n {2}log info +started with 1048576 bytes/);
  const config = join(folder, 'config.json');
  await writeFile(config, '{"any": 1}');
  const bad = await runAttache(['check', path, '--config', config, '--envoy', '1.36.2', '--json']);
  assert.deepEqual([bad.code, JSON.parse(bad.out).releases[0].result], [0, 'accepted']);
});
