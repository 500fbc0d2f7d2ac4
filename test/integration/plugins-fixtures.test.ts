import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildPlugin } from '../../plugins/build.ts';
import { buildBig, buildStamp, padTo, thirdPartyModule, withSeed } from '../harness/fixture-modules.ts';
import { WebAssembly } from './plugin-host.ts';

const EMPTY_MODULE = Buffer.from('0061736d01000000', 'hex');

test('each seed gives a valid module of its own digest, the same seed the same one', async () => {
  const [a, b, again] = await Promise.all([buildStamp('a'), buildStamp('b'), buildStamp('a')]);
  assert.notEqual(a.sha256, b.sha256);
  assert.equal(a.sha256, again.sha256);
  assert.equal(WebAssembly.validate(new Uint8Array(a.bytes)), true);
  await assert.rejects(buildStamp('seventeen letters'), RangeError);
});

test('a seed section renames any module and leaves its code alone', () => {
  const seeded = withSeed(EMPTY_MODULE, 'x'.repeat(300));
  const module = new WebAssembly.Module(new Uint8Array(seeded.bytes));
  const [section] = WebAssembly.Module.customSections(module, 'seed');
  assert.equal(Buffer.from(section!).toString(), 'x'.repeat(300));
  assert.notEqual(seeded.sha256, withSeed(EMPTY_MODULE, 'y').sha256);
});

test('a padded module has exactly the size asked for', () => {
  for (const extra of [14, 15, 127, 128, 129, 16_384, 16_399, 2_097_160]) {
    const padded = padTo(EMPTY_MODULE, EMPTY_MODULE.length + extra);
    assert.equal(padded.bytes.length, EMPTY_MODULE.length + extra);
    assert.equal(WebAssembly.validate(new Uint8Array(padded.bytes)), true);
  }
  assert.throws(() => padTo(EMPTY_MODULE, EMPTY_MODULE.length + 13), RangeError);
});

test('a big module keeps its seed', async () => {
  const [a, b] = await Promise.all([buildBig(1 << 20, 'a'), buildBig(1 << 20, 'b')]);
  assert.equal(a.bytes.length, 1 << 20);
  assert.notEqual(a.sha256, b.sha256);
});

test('a plugin that is not there is named together with those that are', async () => {
  await assert.rejects(buildPlugin('ad-header'), /no plugin ad-header: there are add-header, .*faulty\//);
});

test('the plugin not written by us is what its publisher says it is', async () => {
  const module = new WebAssembly.Module(new Uint8Array((await thirdPartyModule()).bytes));
  const exports = WebAssembly.Module.exports(module).map(each => each.name);
  assert.ok(exports.includes('proxy_abi_version_0_2_0') && exports.includes('malloc'));
  const imports = WebAssembly.Module.imports(module).map(each => `${each.module}.${each.name}`);
  assert.ok(imports.includes('wasi_unstable.proc_exit'));
});
