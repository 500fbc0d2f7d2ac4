import { ModuleError } from './module-error.ts';
import { WasmReader } from './wasm-reader.ts';

/** What a module asks of its host and offers it, read from its sections; none of its code runs. */
export interface WasmHeader {
  readonly imports: readonly WasmImport[];
  readonly exports: readonly WasmExport[];
  /** Of the memory it defines or imports, in pages of 64 KiB. */
  readonly initialMemoryPages: number;
}

export type WasmKind = 'function' | 'table' | 'memory' | 'global' | 'tag';

export interface WasmImport {
  readonly module: string;
  readonly name: string;
  readonly kind: WasmKind;
  /** `i32,i64->i32`, for a function; absent when its type is beyond what this reader knows. */
  readonly signature?: string;
}

export interface WasmExport {
  readonly name: string;
  readonly kind: WasmKind;
  readonly signature?: string;
}

const KINDS: readonly WasmKind[] = ['function', 'table', 'memory', 'global', 'tag'];
const VALUE_TYPES: Readonly<Record<number, string>> = {
  127: 'i32',
  126: 'i64',
  125: 'f32',
  124: 'f64',
  123: 'v128',
  112: 'funcref',
  111: 'externref',
};

interface Draft {
  /** Signatures by type index. */
  types: (string | undefined)[];
  /** Type indices of imported and own functions, by function index. */
  functions: number[];
  imports: WasmImport[];
  exports: { name: string; kind: WasmKind; index: number }[];
  initialMemoryPages: number;
}

/**
 * Reads the section table of a core module. Throws ModuleError `not-wasm`, `component` or `broken-wasm`.
 * https://webassembly.github.io/spec/core/binary/modules.html
 */
export function parseWasmHeader(bytes: Uint8Array): WasmHeader {
  checkPreamble(bytes);
  const draft: Draft = { types: [], functions: [], imports: [], exports: [], initialMemoryPages: 0 };
  const reader = new WasmReader(bytes, 8);
  while (!reader.done) {
    const id = reader.byte();
    readSection(id, reader.part(reader.unsigned()), draft);
  }
  const signatureOf = (index: number) => draft.types[draft.functions[index] ?? -1];
  return {
    imports: draft.imports,
    exports: draft.exports.map(({ name, kind, index }) =>
      withSignature({ name, kind }, kind === 'function' ? signatureOf(index) : undefined),
    ),
    initialMemoryPages: draft.initialMemoryPages,
  };
}

function checkPreamble(bytes: Uint8Array): void {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 8));
  if (view.length < 8 || view.toString('latin1', 0, 4) !== '\0asm')
    throw new ModuleError('not-wasm', 'the bytes are not a Wasm module: they do not begin with \\0asm', {
      hint: 'Check that the URL names the compiled .wasm file, and not its source or a web page.',
    });
  const [version, layer] = [view.readUInt16LE(4), view.readUInt16LE(6)];
  if (layer === 1)
    throw new ModuleError('component', 'this is a component; Envoy runs core modules', {
      hint: 'Build a core module, e.g. for wasm32-wasip1 and not wasm32-wasip2.',
    });
  if (version !== 1 || layer !== 0)
    throw new ModuleError('not-wasm', `Wasm binary version ${view.readUInt32LE(4)}; Envoy knows version 1`, {
      hint: 'Build the module with a released compiler.',
    });
}

function readSection(id: number, section: WasmReader, draft: Draft): void {
  if (id === 1) readTypes(section, draft);
  else if (id === 2) readImports(section, draft);
  else if (id === 3) for (let n = section.count(); n > 0; n--) draft.functions.push(section.unsigned());
  else if (id === 5) for (let n = section.count(); n > 0; n--) readMemory(section, draft);
  else if (id === 7) readExports(section, draft);
}

/** Function types; from the first other type on (garbage collection) signatures stay unknown. */
function readTypes(section: WasmReader, draft: Draft): void {
  for (let n = section.count(); n > 0; n--) {
    if (section.byte() !== 0x60) return;
    const parameters = readValueTypes(section);
    const results = readValueTypes(section);
    // No results is the empty text, which is known; only undefined is not.
    const known = parameters !== undefined && results !== undefined;
    draft.types.push(known ? `${parameters}->${results}` : undefined);
  }
}

function readValueTypes(section: WasmReader): string | undefined {
  const names: (string | undefined)[] = [];
  for (let n = section.count(); n > 0; n--) names.push(VALUE_TYPES[readValueType(section)]);
  return names.every(name => name !== undefined) ? `${names.join(',')}` : undefined;
}

/** The leading byte; a reference type's heap type is read over. */
function readValueType(section: WasmReader): number {
  const type = section.byte();
  if (type === 0x63 || type === 0x64) while (section.byte() >= 0x80);
  return type;
}

function readImports(section: WasmReader, draft: Draft): void {
  for (let n = section.count(); n > 0; n--) {
    const module = section.name();
    const name = section.name();
    const kind = readKind(section);
    const type = readImportType(kind, section, draft);
    draft.imports.push(
      withSignature({ module, name, kind }, type === undefined ? undefined : draft.types[type]),
    );
  }
}

/** The type index of an imported function. */
function readImportType(kind: WasmKind, section: WasmReader, draft: Draft): number | undefined {
  switch (kind) {
    case 'function': {
      const type = section.unsigned();
      draft.functions.push(type);
      return type;
    }
    case 'table':
      readValueType(section);
      readLimits(section);
      return undefined;
    case 'memory':
      readMemory(section, draft);
      return undefined;
    case 'global':
      readValueType(section);
      section.byte();
      return undefined;
    case 'tag':
      section.byte();
      section.unsigned();
      return undefined;
    default:
      return kind satisfies never;
  }
}

function readMemory(section: WasmReader, draft: Draft): void {
  draft.initialMemoryPages = Math.max(draft.initialMemoryPages, readLimits(section));
}

/** The minimum. Flags: 1 has a maximum, 2 shared, 4 of 64 bits, 8 own page size. */
function readLimits(section: WasmReader): number {
  const flags = section.byte();
  const bits = (flags & 4) === 0 ? 32 : 64;
  const minimum = section.unsigned(bits);
  if ((flags & 1) !== 0) section.unsigned(bits);
  if ((flags & 8) !== 0) section.unsigned();
  return minimum;
}

function readExports(section: WasmReader, draft: Draft): void {
  for (let n = section.count(); n > 0; n--)
    draft.exports.push({ name: section.name(), kind: readKind(section), index: section.unsigned() });
}

function readKind(section: WasmReader): WasmKind {
  const kind = KINDS[section.byte()];
  if (kind === undefined)
    throw new ModuleError('broken-wasm', 'the Wasm module imports or exports something of unknown kind', {
      hint: 'Build the module again: the file is damaged.',
    });
  return kind;
}

function withSignature<T extends object>(of: T, signature: string | undefined): T & { signature?: string } {
  return signature === undefined ? of : { ...of, signature };
}
