import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { buildPlugin } from '../../plugins/build.ts';
import { checkModule } from '../../src/module/check-module.ts';
import { findHostFunctions, type ProxyWasmAbi } from '../../src/module/host-functions.ts';
import { ModuleError } from '../../src/module/module-error.ts';
import { findCallbacks } from '../../src/module/plugin-callbacks.ts';
import { buildProxyWasm, buildWasm, type WasmPart } from '../fixtures/wasm-builder.ts';
import { E2E_VERSIONS, envoyBinary } from '../harness/envoy-binary.ts';
import { THIRD_PARTY_ROOT_ID, thirdPartyModule } from '../harness/fixture-modules.ts';
import { makeDirectory } from '../module/actors.ts';

const ABIS: readonly ProxyWasmAbi[] = ['0.1.0', '0.2.0', '0.2.1'];
const toExport = (abi: string) => abi.replaceAll('.', '_');

/** Whether an Envoy loads the module; `--mode validate` compiles, links and starts it on the main thread. */
async function makeEnvoy(t: TestContext, version: string): Promise<(bytes: Uint8Array) => Promise<boolean>> {
  const program = await envoyBinary(version);
  const file = join(await makeDirectory(t), 'envoy.json');
  return async bytes => {
    await writeFile(file, JSON.stringify(toBootstrap(bytes)));
    const args = ['--mode', 'validate', '-c', file, '--log-level', 'critical'];
    const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8', timeout: 30_000 });
    if (error !== undefined) throw error;
    assert.ok(status === 0 || /Wasm|wasm/.test(stderr), stderr);
    return status === 0;
  };
}

function toBootstrap(bytes: Uint8Array): object {
  const typed = (name: string, type: string, more: object = {}) => ({
    name,
    typed_config: { '@type': `type.googleapis.com/envoy.extensions.filters.${type}`, ...more },
  });
  const code = { local: { inline_bytes: Buffer.from(bytes).toString('base64') } };
  const config = {
    name: 'it',
    // Which the module that is not ours needs; the others ask for neither.
    root_id: THIRD_PARTY_ROOT_ID,
    configuration: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: '{}' },
    vm_config: { runtime: 'envoy.wasm.runtime.v8', code },
  };
  const hcm = typed('hcm', 'network.http_connection_manager.v3.HttpConnectionManager', {
    stat_prefix: 'it',
    route_config: {},
    http_filters: [typed('wasm', 'http.wasm.v3.Wasm', { config }), typed('router', 'http.router.v3.Router')],
  });
  const address = { socket_address: { address: '127.0.0.1', port_value: 0 } };
  return { static_resources: { listeners: [{ name: 'it', address, filter_chains: [{ filters: [hcm] }] }] } };
}

/** The code of our refusal, or undefined. */
function judge(bytes: Uint8Array, envoyVersion: string): string | undefined {
  try {
    checkModule(bytes, [{ envoyVersion, nodes: ['edge-1'] }]);
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ModuleError, String(error));
    return error.code;
  }
}

const withImport = (one: WasmPart, abi = '0_2_1') => buildProxyWasm({ imports: [one] }, abi);
const withExport = (name: string, type: string, abi = '0_2_1') =>
  buildProxyWasm({ exports: [{ name, type }] }, abi);

/** Modules at the border of what loads. */
async function borderline(): Promise<Readonly<Record<string, Uint8Array>>> {
  const abi = { name: 'proxy_abi_version_0_2_1', type: '->' };
  const malloc = { name: 'malloc', type: 'i32->i32' };
  const wasi = 'wasi_snapshot_preview1';
  return {
    minimal: buildProxyWasm(),
    'an html page': Buffer.from('<!doctype html><html>'),
    'a component': Buffer.from('0061736d0d000100', 'hex'),
    'cut off': buildProxyWasm().subarray(0, 30),
    'no abi': buildWasm({ exports: [malloc] }),
    'abi 0.3.0': buildProxyWasm({}, '0_3_0'),
    'no allocator': buildWasm({ exports: [abi] }),
    'the old allocator': buildWasm({ exports: [abi, { ...malloc, name: 'proxy_on_memory_allocate' }] }),
    'malloc of 64 bits': buildWasm({ exports: [abi, { ...malloc, type: 'i64->i32' }] }),
    'imported memory': buildProxyWasm({
      memoryPages: 0,
      imports: [{ module: 'env', name: 'memory', memoryPages: 1 }],
    }),
    'imported global': withImport({ module: 'env', name: 'g', global: 'i32' }),
    'unknown import': withImport({ module: 'env', name: 'nobody_has_this', type: '->' }),
    'wrong type': withImport({ module: 'env', name: 'proxy_log', type: 'i32->i32' }),
    'import of another abi': withImport(
      { module: 'env', name: 'proxy_get_log_level', type: 'i32->i32' },
      '0_2_0',
    ),
    'wasi of 1.39': withImport({ module: wasi, name: 'fd_tell', type: 'i32,i32->i32' }),
    'path_link of preview 1': withImport({
      module: wasi,
      name: 'path_link',
      type: 'i32,i32,i32,i32,i32,i32,i32->i32',
    }),
    'path_symlink of preview 1': withImport({
      module: wasi,
      name: 'path_symlink',
      type: 'i32,i32,i32,i32,i32->i32',
    }),
    proc_raise: withImport({ module: wasi, name: 'proc_raise', type: 'i32->i32' }),
    'a gibibyte': buildProxyWasm({ memoryPages: 16384 }),
    'more than a gibibyte': buildProxyWasm({ memoryPages: 16385 }),
    'headers of 0.2 in 0.1': withExport('proxy_on_response_headers', 'i32,i32,i32->i32', '0_1_0'),
    'headers of 0.1 in 0.2': withExport('proxy_on_request_headers', 'i32,i32->i32', '0_2_0'),
    'a foreign function in 0.1': withExport('proxy_on_foreign_function', '->', '0_1_0'),
    'faulty/abi-0-3-0': (await buildPlugin('faulty/abi-0-3-0')).bytes,
    'faulty/no-abi': (await buildPlugin('faulty/no-abi')).bytes,
    'faulty/unknown-import': (await buildPlugin('faulty/unknown-import')).bytes,
    'add-header': (await buildPlugin('add-header')).bytes,
    'not written by us': (await thirdPartyModule()).bytes,
  };
}

for (const version of E2E_VERSIONS) {
  test(`Envoy ${version} links every host function of the table, for each ABI`, async t => {
    const loads = await makeEnvoy(t, version);
    for (const abi of ABIS) {
      const imports = [...findHostFunctions(abi, version)].map(([name, type]) => {
        const dot = name.indexOf('.');
        return { module: name.slice(0, dot), name: name.slice(dot + 1), type };
      });
      assert.ok(await loads(buildProxyWasm({ imports }, toExport(abi))), abi);
    }
  });

  test(`Envoy ${version} refuses what we refuse, and loads what we let through`, async t => {
    const loads = await makeEnvoy(t, version);
    for (const [name, bytes] of Object.entries(await borderline())) {
      const code = judge(bytes, version);
      const outcome = (await loads(bytes)) ? 'loads' : 'refuses';
      assert.deepEqual([name, outcome], [name, code === undefined ? 'loads' : 'refuses'], `we say ${code}`);
    }
  });
}

test('a callback of another type than the table says is refused by Envoy, one of that type is not', async t => {
  const loads = await makeEnvoy(t, E2E_VERSIONS[0] ?? '');
  for (const abi of ABIS) {
    const exports = [...findCallbacks(abi)]
      .filter(([name]) => name !== 'malloc')
      .map(([name, type]) => ({ name, type }));
    assert.ok(await loads(buildProxyWasm({ exports }, toExport(abi))), abi);
  }
  for (const [name] of findCallbacks('0.2.1'))
    if (name !== 'malloc') assert.equal(await loads(withExport(name, 'i64->i64')), false, name);
});
