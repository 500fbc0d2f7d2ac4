import { sha256Hex } from '../../src/model/plugin-spec.ts';
import { parseWasmHeader } from '../../src/module/wasm-header.ts';
import type { AgreementCase } from './agreement.ts';

/** Bytes put together by a test were made by no compiler, and count for nothing. */
export const BY_HAND = 'by hand';

/** What a comparison was made over; a module is counted once, however often it was started. */
export interface AgreementCensus {
  readonly modules: number;
  readonly byOthers: number;
  /** Without their releases, sorted. */
  readonly toolchains: readonly string[];
  /** ABI versions that modules name, sorted: `0.2.1`. */
  readonly abis: readonly string[];
  /** The names that modules import WASI by, sorted; empty text: not at all. */
  readonly wasi: readonly string[];
  readonly largestBytes: Readonly<Record<string, number>>;
  /** A line for each toolchain and release: how many modules, how many of others, ABI versions, WASI, sizes. */
  readonly table: string;
}

interface Counted {
  readonly toolchain: string;
  readonly family: string;
  readonly isOfOthers: boolean;
  readonly abi: string;
  readonly wasi: string;
  readonly sizeBytes: number;
}

export function takeCensus(cases: readonly AgreementCase[]): AgreementCensus {
  const counted = new Map<string, Counted>();
  for (const one of cases)
    if (one.toolchain !== BY_HAND) {
      const digest = sha256Hex(one.bytes);
      if (!counted.has(digest)) counted.set(digest, count(one));
    }
  const all = [...counted.values()];
  const families = distinct(all.map(({ family }) => family));
  return {
    modules: all.length,
    byOthers: all.filter(({ isOfOthers }) => isOfOthers).length,
    toolchains: families,
    abis: distinct(all.map(({ abi }) => abi)).filter(abi => abi !== ''),
    wasi: distinct(all.map(({ wasi }) => wasi)),
    largestBytes: Object.fromEntries(
      families.map(family => [
        family,
        Math.max(...all.filter(one => one.family === family).map(({ sizeBytes }) => sizeBytes)),
      ]),
    ),
    table: toTable(all),
  };
}

function count({ toolchain, author, bytes }: AgreementCase): Counted {
  const { exports, imports } = parseWasmHeader(bytes);
  const abi = exports.find(({ name }) => name.startsWith('proxy_abi_version_'))?.name;
  return {
    toolchain,
    family: toolchain.split(' ')[0] ?? toolchain,
    isOfOthers: author === 'others',
    abi: abi?.slice('proxy_abi_version_'.length).replaceAll('_', '.') ?? '',
    wasi: imports.find(({ module }) => module.startsWith('wasi_'))?.module ?? '',
    sizeBytes: bytes.length,
  };
}

function toTable(all: readonly Counted[]): string {
  const total = `${all.length} modules, ${all.filter(({ isOfOthers }) => isOfOthers).length} of others`;
  const lines = distinct(all.map(({ toolchain }) => toolchain)).map(toolchain => {
    const own = all.filter(one => one.toolchain === toolchain);
    const sizes = own.map(({ sizeBytes }) => sizeBytes);
    const wasi = distinct(own.map(one => one.wasi || 'no WASI'));
    const abis = distinct(own.map(({ abi }) => abi || 'none'));
    const others = own.filter(({ isOfOthers }) => isOfOthers).length;
    const size = `${Math.min(...sizes)} to ${Math.max(...sizes)} bytes`;
    return `${toolchain}: ${own.length}, ${others} of others; ABI ${abis.join(', ')}; ${wasi.join(', ')}; ${size}`;
  });
  return [total, ...lines].join('\n');
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort();
}
