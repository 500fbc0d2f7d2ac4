import { findHostFunctions, type ProxyWasmAbi } from './host-functions.ts';
import { ModuleError } from './module-error.ts';
import { findCallbacks, findStartFunctions } from './plugin-callbacks.ts';
import { parseWasmHeader, type WasmHeader, type WasmImport } from './wasm-header.ts';

/** Envoy's response buffer ends there: runtime key http.async_response_buffer_limit. */
export const MAX_MODULE_BYTES = (32 << 20) - 1;
/** One gibibyte of 64 KiB pages. */
const MAX_MEMORY_PAGES = 16384;

const ABIS: Readonly<Record<string, ProxyWasmAbi>> = {
  proxy_abi_version_0_1_0: '0.1.0',
  proxy_abi_version_0_2_0: '0.2.0',
  proxy_abi_version_0_2_1: '0.2.1',
};

/** What a module is found to be. */
export interface CheckedModule {
  readonly abi: ProxyWasmAbi;
  /** Imported functions. */
  readonly importCount: number;
}

/** The Envoys of one version that are to load the module. */
export interface TargetEnvoys {
  /** `1.40.0`; empty: unknown, taken for the newest. */
  readonly envoyVersion: string;
  readonly nodes: readonly string[];
}

const NEWEST: TargetEnvoys = { envoyVersion: '', nodes: [] };

/**
 * Refuses what an Envoy of any of the targets would refuse, without running code; no targets means the newest Envoy.
 * Throws ModuleError with one of WasmErrorCode, or `module-too-big`.
 */
export function checkModule(bytes: Uint8Array, targets: readonly TargetEnvoys[]): CheckedModule {
  if (bytes.length > MAX_MODULE_BYTES) throw moduleTooBig(bytes.length);
  const header = parseWasmHeader(bytes);
  const abi = findAbi(header);
  checkAllocator(header);
  checkCallbacks(header, abi);
  checkMemory(header);
  checkGlobals(header);
  for (const envoys of targets.length === 0 ? [NEWEST] : targets) checkImports(header, abi, envoys);
  return { abi, importCount: header.imports.filter(({ kind }) => kind === 'function').length };
}

export function moduleTooBig(sizeBytes?: number): ModuleError {
  const size = sizeBytes === undefined ? 'is too big' : `has ${sizeBytes} bytes`;
  return new ModuleError(
    'module-too-big',
    `the module ${size}; Envoy takes modules below 32 MiB (${MAX_MODULE_BYTES} bytes at most)`,
    {
      hint: 'Strip debug information and optimize for size (e.g. wasm-opt -Oz --strip-debug).',
    },
  );
}

/** The first that is exported counts, as for Envoy. */
function findAbi(header: WasmHeader): ProxyWasmAbi {
  const functions = header.exports.filter(({ kind }) => kind === 'function');
  for (const { name } of functions) {
    const abi = Object.hasOwn(ABIS, name) ? ABIS[name] : undefined;
    if (abi !== undefined) return abi;
  }
  const other = functions.find(({ name }) => name.startsWith('proxy_abi_version_'))?.name;
  const found = other === undefined ? 'none is exported' : `${other} is exported, which Envoy does not know`;
  throw new ModuleError('no-proxy-abi', `not a Proxy-Wasm plugin that Envoy runs: ${found}`, {
    hint: 'Build it with a Proxy-Wasm SDK: it must export proxy_abi_version_0_1_0, _0_2_0 or _0_2_1.',
  });
}

function checkAllocator(header: WasmHeader): void {
  const names = ['malloc', 'proxy_on_memory_allocate'];
  if (header.exports.some(({ name, kind }) => kind === 'function' && names.includes(name))) return;
  throw new ModuleError('no-allocator', 'the module exports neither malloc nor proxy_on_memory_allocate', {
    hint: 'Export one of them (SDKs do; with a linker it may need --export=malloc).',
  });
}

function checkCallbacks(header: WasmHeader, abi: ProxyWasmAbi): void {
  const callbacks = findCallbacks(abi);
  const starting = findStartFunctions(
    new Set(header.exports.flatMap(({ name, kind }) => (kind === 'function' ? [name] : []))),
  );
  for (const { name, kind, signature } of header.exports) {
    const wanted = callbacks.get(name) ?? starting.get(name);
    if (kind !== 'function' || signature === undefined || wanted === undefined || signature === wanted)
      continue;
    throw new ModuleError('bad-callback', `${name} is (${signature}); ABI ${abi} wants (${wanted})`, {
      hint: 'Export the proxy_abi_version_… that the callbacks were written for, or correct them.',
    });
  }
}

function checkMemory(header: WasmHeader): void {
  if (header.initialMemoryPages <= MAX_MEMORY_PAGES) return;
  const mebibytes = header.initialMemoryPages / 16;
  throw new ModuleError(
    'memory-too-big',
    `the module begins with ${mebibytes} MiB of memory; Envoy gives 1024`,
    {
      hint: 'Lower the initial memory in the linker options.',
    },
  );
}

function checkGlobals(header: WasmHeader): void {
  const global = header.imports.find(({ kind }) => kind === 'global');
  if (global === undefined) return;
  throw new ModuleError('imported-global', `the module imports a global, ${nameOf(global)}; Envoy has none`, {
    hint: 'Link it without position-independent code or dynamic linking.',
  });
}

function checkImports(header: WasmHeader, abi: ProxyWasmAbi, { envoyVersion, nodes }: TargetEnvoys): void {
  const host = findHostFunctions(abi, envoyVersion);
  const faults = header.imports.flatMap(one => {
    if (one.kind !== 'function') return [];
    const name = nameOf(one);
    const signature = host.get(name);
    if (signature === undefined) return [name];
    if (one.signature === undefined || one.signature === signature) return [];
    return [`${name} as (${one.signature}), Envoy has (${signature})`];
  });
  if (faults.length === 0) return;
  const envoy = envoyVersion === '' ? 'Envoy' : `Envoy ${envoyVersion}`;
  const where = nodes.length === 0 ? '' : ` (${listNames(nodes)})`;
  throw new ModuleError(
    'unknown-import',
    `the module imports what ${envoy}${where} does not have for ABI ${abi}: ${listNames(faults)}`,
    {
      hint: envoyVersion === '' ? REBUILD : `${REBUILD} Or upgrade these Envoys, or select others.`,
    },
  );
}

const REBUILD = 'Build the module with a Proxy-Wasm SDK for Envoy, without these imports.';

function nameOf({ module, name }: WasmImport): string {
  return `${module}.${name}`;
}

/** The first few, and how many more. */
function listNames(names: readonly string[]): string {
  const shown = names.slice(0, 4).join(', ');
  return names.length > 4 ? `${shown} and ${names.length - 4} more` : shown;
}
