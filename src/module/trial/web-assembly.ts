/** The part of the WebAssembly API that the trial uses; its types come with a browser's, which we do not have. */
interface WebAssemblyApi {
  readonly Module: {
    new (bytes: Uint8Array): WasmModule;
    /** With types where Node was started with --experimental-wasm-type-reflection. */
    imports(module: WasmModule): readonly WasmExtern[];
    exports(module: WasmModule): readonly WasmExtern[];
  };
  readonly Instance: new (
    module: WasmModule,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: Readonly<Record<string, unknown>> };
  readonly Memory: new (type: unknown) => WasmMemory;
  readonly Table: new (type: unknown) => object;
  readonly CompileError: new () => Error;
  readonly LinkError: new () => Error;
}

export type WasmModule = object & { readonly brand?: 'WebAssembly.Module' };

export interface WasmExtern {
  /** Of an import. */
  readonly module?: string;
  readonly name: string;
  readonly kind: 'function' | 'table' | 'memory' | 'global' | 'tag';
  readonly type?: WasmType;
}

/** Of a function its signature, of a memory or table its limits. */
export interface WasmType {
  readonly parameters?: readonly string[];
  readonly results?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface WasmMemory {
  /** Replaced whenever the memory grows. */
  readonly buffer: ArrayBuffer;
}

export const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };
