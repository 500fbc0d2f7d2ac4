import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { checkModule, MAX_MODULE_BYTES } from '../../src/module/check-module.ts';
import { findHostFunctions } from '../../src/module/host-functions.ts';
import { ModuleError } from '../../src/module/module-error.ts';
import { parseWasmHeader } from '../../src/module/wasm-header.ts';
import { buildProxyWasm, buildWasm, type WasmPart } from '../fixtures/wasm-builder.ts';

const on = (envoyVersion: string) => [{ envoyVersion, nodes: ['edge-1'] }];

function refuses(bytes: Uint8Array, code: string, envoyVersion = '1.40.0'): void {
  assert.throws(
    () => checkModule(bytes, on(envoyVersion)),
    (error: unknown) => {
      assert.ok(error instanceof ModuleError, String(error));
      assert.equal(error.code, code);
      assert.ok(error.hint);
      return true;
    },
  );
}

const withImport = (one: WasmPart) => buildProxyWasm({ imports: [one] });

test('each ABI that Envoy runs passes and is named', () => {
  for (const abi of ['0.1.0', '0.2.0', '0.2.1'])
    assert.deepEqual(checkModule(buildProxyWasm({}, abi.replaceAll('.', '_')), []), { abi, importCount: 0 });
});

test('bytes that are no core module of version 1 are told apart', () => {
  refuses(Buffer.from('<!doctype html>'), 'not-wasm');
  refuses(Buffer.alloc(0), 'not-wasm');
  refuses(Buffer.from('0061736d0d000100', 'hex'), 'component');
  refuses(Buffer.from('0061736d02000000', 'hex'), 'not-wasm');
  refuses(Buffer.alloc(MAX_MODULE_BYTES + 1), 'module-too-big');
});

test('every proper beginning of a module that cuts a section is broken', () => {
  const bytes = buildProxyWasm({ comment: 'end' });
  const whole = new Set([8]);
  for (let at = 8; at < bytes.length; ) {
    // Sections of this fixture are shorter than 128 bytes.
    at += 2 + (bytes[at + 1] ?? 0);
    whole.add(at);
  }
  for (let length = 9; length < bytes.length; length++)
    if (!whole.has(length)) refuses(bytes.subarray(0, length), 'broken-wasm');
});

test('a module without an ABI, with one to come, or without an allocator is refused', () => {
  refuses(buildWasm({}), 'no-proxy-abi');
  refuses(buildProxyWasm({}, '0_3_0'), 'no-proxy-abi');
  refuses(buildWasm({ exports: [{ name: 'proxy_abi_version_0_2_1', type: '->' }] }), 'no-allocator');
  const other = [
    { name: 'proxy_abi_version_0_2_1', type: '->' },
    { name: 'proxy_on_memory_allocate', type: 'i32->i32' },
  ];
  checkModule(buildWasm({ exports: other }), []);
});

test('imports: memory may be imported, globals and unknown functions not, types must agree', () => {
  checkModule(
    buildProxyWasm({ memoryPages: 0, imports: [{ module: 'env', name: 'memory', memoryPages: 1 }] }),
    [],
  );
  refuses(withImport({ module: 'env', name: 'g', global: 'i32' }), 'imported-global');
  refuses(withImport({ module: 'env', name: 'proxy_unknown', type: 'i32->i32' }), 'unknown-import');
  refuses(withImport({ module: 'wasi', name: 'fd_write', type: 'i32->i32' }), 'unknown-import');
  refuses(withImport({ module: 'env', name: 'proxy_log', type: 'i32,i32->i32' }), 'unknown-import');
  refuses(withImport({ module: 'env', name: 'toString', type: '->' }), 'unknown-import');
});

test('imports are judged by the release of each target, and without targets by the newest', () => {
  const bytes = withImport({ module: 'wasi_unstable', name: 'sock_shutdown', type: 'i32,i32->i32' });
  for (const version of ['1.39.3', '1.40.0', '1.41.0-dev', '2.0.0', '', 'nonsense'])
    checkModule(bytes, on(version));
  checkModule(bytes, []);
  for (const version of ['1.38.3', '1.37.0', '1.36.2']) refuses(bytes, 'unknown-import', version);
  const fleet = [...on('1.40.0'), { envoyVersion: '1.36.2', nodes: ['old-7'] }];
  assert.throws(() => checkModule(bytes, fleet), /1\.36\.2 \(old-7\).*wasi_unstable\.sock_shutdown/);
});

test('imports of another ABI are unknown', () => {
  const bytes = (abi: string) =>
    buildProxyWasm({ imports: [{ module: 'env', name: 'proxy_continue_stream', type: 'i32->i32' }] }, abi);
  checkModule(bytes('0_2_0'), []);
  refuses(bytes('0_1_0'), 'unknown-import');
});

test('the header callbacks must have the types of their ABI, others their own', () => {
  const callback = (type: string, abi: string) =>
    buildProxyWasm({ exports: [{ name: 'proxy_on_response_headers', type }] }, abi);
  checkModule(callback('i32,i32->i32', '0_1_0'), []);
  checkModule(callback('i32,i32,i32->i32', '0_2_1'), []);
  refuses(callback('i32,i32,i32->i32', '0_1_0'), 'bad-callback');
  refuses(callback('i32,i32->i32', '0_2_0'), 'bad-callback');
  refuses(buildProxyWasm({ exports: [{ name: 'proxy_on_log', type: 'i32->i32' }] }), 'bad-callback');
});

test('functions that start a module have the types that Envoy calls them with, where it does', () => {
  const starting = (...types: readonly [name: string, type: string][]) =>
    buildProxyWasm({ exports: types.map(([name, type]) => ({ name, type })) });
  refuses(starting(['_start', '->i32']), 'bad-callback');
  refuses(starting(['_initialize', 'i32->']), 'bad-callback');
  refuses(starting(['_initialize', '->'], ['main', '->i32']), 'bad-callback');
  checkModule(starting(['_start', '->'], ['main', '->i32']), []);
  checkModule(starting(['_initialize', '->'], ['_start', '->i32']), []);
  checkModule(starting(['proxy_on_memory_allocate', 'i64->i32']), []);
});

test('more than a gibibyte of memory to begin with is refused', () => {
  checkModule(buildProxyWasm({ memoryPages: 16384 }), []);
  refuses(buildProxyWasm({ memoryPages: 16385 }), 'memory-too-big');
});

test('the table holds as many functions as were measured', () => {
  const count = (version: string, abi: '0.1.0' | '0.2.0' | '0.2.1') => findHostFunctions(abi, version).size;
  assert.equal(count('1.36.2', '0.1.0'), 36 + 4 + 3 + 2 * 18);
  assert.equal(count('1.36.2', '0.2.1'), 36 + 3 + 3 + 2 * 18);
  assert.equal(count('1.40.0', '0.2.0'), 36 + 2 + 3 + 2 * (18 + 27));
});

test('whatever the bytes, reading them ends with a header or a ModuleError', () => {
  const good = buildProxyWasm({ imports: [{ module: 'env', name: 'proxy_log', type: 'i32,i32,i32->i32' }] });
  const change = fc.record({ at: fc.nat({ max: good.length - 1 }), byte: fc.nat({ max: 255 }) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 6 }), changes => {
      const bytes = Uint8Array.from(good);
      for (const { at, byte } of changes) bytes[at] = byte;
      try {
        parseWasmHeader(bytes);
      } catch (error) {
        assert.ok(error instanceof ModuleError, String(error));
      }
    }),
  );
});
