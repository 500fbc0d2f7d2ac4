import type { ProxyWasmAbi } from './host-functions.ts';

/**
 * The functions that Envoy takes from a module when they are there, with the only type that each may have: another
 * one is refused when the module is loaded, as measured on Envoy 1.36.2 and 1.40.0.
 * https://github.com/proxy-wasm/spec/tree/main/abi-versions
 */
const CALLBACKS: Readonly<Record<string, string>> = {
  malloc: 'i32->i32',
  proxy_on_vm_start: 'i32,i32->i32',
  proxy_validate_configuration: 'i32,i32->i32',
  proxy_on_configure: 'i32,i32->i32',
  proxy_on_tick: 'i32->',
  proxy_on_context_create: 'i32,i32->',
  proxy_on_new_connection: 'i32->i32',
  proxy_on_downstream_data: 'i32,i32,i32->i32',
  proxy_on_upstream_data: 'i32,i32,i32->i32',
  proxy_on_downstream_connection_close: 'i32,i32->',
  proxy_on_upstream_connection_close: 'i32,i32->',
  proxy_on_request_body: 'i32,i32,i32->i32',
  proxy_on_request_trailers: 'i32,i32->i32',
  proxy_on_request_metadata: 'i32,i32->i32',
  proxy_on_response_body: 'i32,i32,i32->i32',
  proxy_on_response_trailers: 'i32,i32->i32',
  proxy_on_response_metadata: 'i32,i32->i32',
  proxy_on_http_call_response: 'i32,i32,i32,i32,i32->',
  proxy_on_grpc_receive: 'i32,i32,i32->',
  proxy_on_grpc_close: 'i32,i32,i32->',
  proxy_on_grpc_receive_initial_metadata: 'i32,i32,i32->',
  proxy_on_grpc_receive_trailing_metadata: 'i32,i32,i32->',
  proxy_on_queue_ready: 'i32,i32->',
  proxy_on_done: 'i32->i32',
  proxy_on_log: 'i32->',
  proxy_on_delete: 'i32->',
};

const HEADERS_0_1: Readonly<Record<string, string>> = {
  proxy_on_request_headers: 'i32,i32->i32',
  proxy_on_response_headers: 'i32,i32->i32',
};

const HEADERS_0_2: Readonly<Record<string, string>> = {
  proxy_on_request_headers: 'i32,i32,i32->i32',
  proxy_on_response_headers: 'i32,i32,i32->i32',
  proxy_on_foreign_function: 'i32,i32,i32->',
};

/** Callbacks by name, each with its type, of a module of this ABI. */
export function findCallbacks(abi: ProxyWasmAbi): ReadonlyMap<string, string> {
  return new Map(Object.entries({ ...CALLBACKS, ...(abi === '0.1.0' ? HEADERS_0_1 : HEADERS_0_2) }));
}

/**
 * The functions that start a module, of those it exports, with the type that each must have. Envoy looks at _start
 * only where there is no _initialize, at main only where there is one, and at the old allocator only without malloc.
 */
export function findStartFunctions(exported: ReadonlySet<string>): ReadonlyMap<string, string> {
  const types: [name: string, type: string][] = exported.has('_initialize')
    ? [
        ['_initialize', '->'],
        ['main', 'i32,i32->i32'],
      ]
    : [['_start', '->']];
  if (!exported.has('malloc')) types.push(['proxy_on_memory_allocate', 'i32->i32']);
  return new Map(types);
}
