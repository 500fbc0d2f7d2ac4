import type { TrialInput } from '../../../src/module/trial/trial-runner.ts';
import { buildProxyWasm, type WasmShape } from '../../fixtures/wasm-builder.ts';
import { callWith, drop, i32 } from '../../fixtures/wasm-code.ts';

/** Where the modules of these tests keep their texts, and where their allocator gives memory. */
export const TEXT_AT = 1024;
export const HEAP_AT = 4096;

export const input: TrialInput = {
  envoyVersion: '',
  plugin: 'default/it',
  pluginConfig: '',
  pluginName: '',
  env: [],
};

/** A module whose exports do what their code says; its allocator always gives the same place. */
export function build(
  { malloc = i32(HEAP_AT), ...codes }: Readonly<Record<string, readonly number[]>>,
  more: Omit<WasmShape, 'exports'> = {},
  abi?: string,
): Uint8Array {
  const exports = Object.entries({ malloc, ...codes }).map(([name, code]) => ({
    name,
    type: TYPES[name] ?? '->',
    code,
  }));
  return buildProxyWasm({ ...more, exports }, abi);
}

const TYPES: Readonly<Record<string, string>> = {
  malloc: 'i32->i32',
  main: 'i32,i32->i32',
  __main_void: '->i32',
  proxy_on_context_create: 'i32,i32->',
  proxy_on_vm_start: 'i32,i32->i32',
  proxy_on_configure: 'i32,i32->i32',
  proxy_on_done: 'i32->i32',
  proxy_on_delete: 'i32->',
};

export const proxyLog = { module: 'env', name: 'proxy_log', type: 'i32,i32,i32->i32' };

/** Logs `size` bytes of the module's text; proxy_log is import 0. */
export const log = (level: number, size: number): number[] => [...callWith(0, level, TEXT_AT, size), ...drop];
