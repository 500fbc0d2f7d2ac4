import type { BuiltPlugin } from '../../plugins/build.ts';

/** The part of the WebAssembly API that these tests use; the compiler's own types come with a browser's. */
interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean;
  Module: {
    new (bytes: Uint8Array): object;
    customSections(module: object, name: string): ArrayBuffer[];
    imports(module: object): { module: string; name: string; kind: string }[];
    exports(module: object): { name: string; kind: string }[];
  };
  Instance: new (module: object, imports: object) => { readonly exports: PluginExports };
}

interface PluginExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly proxy_on_memory_allocate: (size: number) => number;
  readonly proxy_on_context_create: (id: number, parentId: number) => void;
  readonly proxy_on_vm_start: (rootId: number, size: number) => number;
  readonly proxy_on_configure: (rootId: number, size: number) => number;
  readonly proxy_on_request_headers: (id: number, headers: number, endOfStream: number) => number;
  readonly proxy_on_response_headers: (id: number, headers: number, endOfStream: number) => number;
  readonly proxy_on_delete: (id: number) => void;
}

export const { WebAssembly } = globalThis as unknown as { WebAssembly: WebAssemblyApi };

/** What a plugin did to its host. */
export interface PluginRun {
  readonly log: string[];
  /** `response x-hello: world`, in order. */
  readonly headers: string[];
  readonly responses: { readonly status: number; readonly body: string }[];
  readonly counters: Map<string, number>;
}

/** A plugin in the smallest host that does what these tests look at; Envoy itself is asked in test/integration. */
export class PluginHost {
  readonly run: PluginRun = { log: [], headers: [], responses: [], counters: new Map() };
  readonly exports: PluginExports;
  private readonly properties: Readonly<Record<string, string>>;
  private readonly shared: Map<string, string>;
  private configuration = Buffer.alloc(0);
  private requestHeaders: Readonly<Record<string, string>> = {};
  private nextId = 2;

  /**
   * `properties`: by path with points, e.g. `xds.node.id`; `shared`: what the VMs of one process share, the same map
   * for each of them.
   */
  constructor(
    plugin: Pick<BuiltPlugin, 'bytes'>,
    properties: Readonly<Record<string, string>> = {},
    shared: Map<string, string> = new Map(),
  ) {
    this.properties = properties;
    this.shared = shared;
    const module = new WebAssembly.Module(new Uint8Array(plugin.bytes));
    this.exports = new WebAssembly.Instance(module, { env: this.calls() }).exports;
    this.exports.proxy_on_context_create(1, 0);
  }

  /** Whether the plugin accepts a configuration, given as JSON text. */
  configure(text: string): boolean {
    this.configuration = Buffer.from(text);
    const hasStarted = this.exports.proxy_on_vm_start(1, 0) !== 0;
    return hasStarted && this.exports.proxy_on_configure(1, this.configuration.length) !== 0;
  }

  /** One request and its response through the plugin; throws where the plugin traps. */
  request(headers: Readonly<Record<string, string>> = {}): void {
    this.requestHeaders = headers;
    const id = this.nextId++;
    this.exports.proxy_on_context_create(id, 1);
    this.exports.proxy_on_request_headers(id, 3, 1);
    this.exports.proxy_on_response_headers(id, 1, 1);
    this.exports.proxy_on_delete(id);
  }

  private calls(): Readonly<Record<string, (...args: never[]) => number>> {
    const { run } = this;
    return {
      proxy_log: (_level: number, text: number, size: number) => run.log.push(this.text(text, size)) * 0,
      proxy_get_buffer_bytes: (_buffer: number, start: number, length: number, value: number, size: number) =>
        this.answer(this.configuration.subarray(start, start + length), value, size),
      proxy_get_property: (path: number, pathSize: number, value: number, size: number) => {
        const found = this.properties[this.text(path, pathSize).replaceAll('\0', '.')];
        return found === undefined ? 1 : this.answer(Buffer.from(found), value, size);
      },
      proxy_get_shared_data: (key: number, keySize: number, value: number, size: number, cas: number) => {
        const found = this.shared.get(this.text(key, keySize));
        if (found === undefined) return 1;
        this.view().setUint32(cas, 1, true);
        return this.answer(Buffer.from(found), value, size);
      },
      proxy_set_shared_data: (key: number, keySize: number, value: number, size: number) => {
        this.shared.set(this.text(key, keySize), this.text(value, size));
        return 0;
      },
      proxy_get_header_map_value: (_map: number, name: number, n: number, value: number, size: number) => {
        const found = this.requestHeaders[this.text(name, n)];
        return found === undefined ? 1 : this.answer(Buffer.from(found), value, size);
      },
      proxy_add_header_map_value: (map: number, name: number, n: number, value: number, v: number) =>
        run.headers.push(
          `${map === 0 ? 'request' : 'response'} ${this.text(name, n)}: ${this.text(value, v)}`,
        ) * 0,
      proxy_send_local_response: (
        status: number,
        _details: number,
        _size: number,
        body: number,
        size: number,
      ) => run.responses.push({ status, body: this.text(body, size) }) * 0,
      proxy_get_current_time_nanoseconds: (result: number) => {
        this.view().setBigUint64(result, process.hrtime.bigint(), true);
        return 0;
      },
      proxy_define_metric: (_type: number, name: number, size: number, result: number) => {
        run.counters.set(this.text(name, size), 0);
        this.view().setUint32(result, run.counters.size - 1, true);
        return 0;
      },
      proxy_increment_metric: (id: number, offset: bigint) => {
        const name = [...run.counters.keys()][id]!;
        run.counters.set(name, run.counters.get(name)! + Number(offset));
        return 0;
      },
    };
  }

  private view(): DataView {
    return new DataView(this.exports.memory.buffer);
  }

  private text(address: number, size: number): string {
    return Buffer.from(this.exports.memory.buffer, address, size).toString();
  }

  private answer(bytes: Uint8Array, value: number, size: number): number {
    const address = this.exports.proxy_on_memory_allocate(bytes.length);
    new Uint8Array(this.exports.memory.buffer).set(bytes, address);
    this.view().setUint32(value, address, true);
    this.view().setUint32(size, bytes.length, true);
    return 0;
  }
}
