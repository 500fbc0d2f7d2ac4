/**
 * The functions that an Envoy links into a module, with their types, per ABI and Envoy release. Types are those of
 * the Proxy-Wasm host and of WASI preview 1, as measured on Envoy 1.36.2, 1.37.0, 1.39.3 and 1.40.0.
 * https://github.com/proxy-wasm/spec, https://github.com/WebAssembly/WASI/blob/main/legacy/preview1/docs.md
 */

export type ProxyWasmAbi = '0.1.0' | '0.2.0' | '0.2.1';

/** Parameters: a number of i32, or their types. Every one of these functions returns i32 unless written. */
const PROXY: Readonly<Record<string, number | string>> = {
  log: 3,
  get_status: 3,
  set_property: 4,
  get_property: 4,
  send_local_response: 8,
  get_shared_data: 5,
  set_shared_data: 5,
  register_shared_queue: 3,
  resolve_shared_queue: 5,
  dequeue_shared_queue: 3,
  enqueue_shared_queue: 3,
  get_header_map_value: 5,
  add_header_map_value: 5,
  replace_header_map_value: 5,
  remove_header_map_value: 3,
  get_header_map_pairs: 3,
  set_header_map_pairs: 3,
  get_header_map_size: 2,
  get_buffer_status: 3,
  get_buffer_bytes: 5,
  set_buffer_bytes: 5,
  http_call: 10,
  grpc_call: 12,
  grpc_stream: 9,
  grpc_close: 1,
  grpc_cancel: 1,
  grpc_send: 4,
  set_tick_period_milliseconds: 1,
  get_current_time_nanoseconds: 1,
  define_metric: 4,
  increment_metric: 'i32,i64->i32',
  record_metric: 'i32,i64->i32',
  get_metric: 2,
  set_effective_context: 1,
  done: 0,
  call_foreign_function: 6,
};

const PROXY_BY_ABI: Readonly<Record<ProxyWasmAbi, Readonly<Record<string, number | string>>>> = {
  '0.1.0': { get_configuration: 2, continue_request: 0, continue_response: 0, clear_route_cache: 0 },
  '0.2.0': { continue_stream: 1, close_stream: 1 },
  '0.2.1': { continue_stream: 1, close_stream: 1, get_log_level: 1 },
};

const UNPREFIXED: Readonly<Record<string, number | string>> = {
  pthread_equal: 2,
  emscripten_notify_memory_growth: 'i32->',
  envoy_resolve_dns: 3,
};

const WASI: Readonly<Record<string, number | string>> = {
  args_get: 2,
  args_sizes_get: 2,
  environ_get: 2,
  environ_sizes_get: 2,
  clock_time_get: 'i32,i64,i32->i32',
  fd_close: 1,
  fd_fdstat_get: 2,
  fd_fdstat_set_flags: 2,
  fd_prestat_get: 2,
  fd_prestat_dir_name: 3,
  fd_read: 4,
  fd_seek: 'i32,i64,i32,i32->i32',
  fd_write: 4,
  path_open: 'i32,i32,i32,i32,i32,i64,i64,i32,i32->i32',
  poll_oneoff: 4,
  proc_exit: 'i32->',
  sched_yield: 0,
  random_get: 2,
};

/** Since Envoy 1.39. */
const WASI_1_39: Readonly<Record<string, number | string>> = {
  clock_res_get: 2,
  fd_advise: 'i32,i64,i64,i32->i32',
  fd_allocate: 'i32,i64,i64->i32',
  fd_datasync: 1,
  fd_fdstat_set_rights: 'i32,i64,i64->i32',
  fd_filestat_get: 2,
  fd_filestat_set_size: 'i32,i64->i32',
  fd_filestat_set_times: 'i32,i64,i64,i32->i32',
  fd_pread: 'i32,i32,i32,i64,i32->i32',
  fd_pwrite: 'i32,i32,i32,i64,i32->i32',
  fd_readdir: 'i32,i32,i32,i64,i32->i32',
  fd_renumber: 2,
  fd_sync: 1,
  fd_tell: 2,
  path_create_directory: 3,
  path_filestat_get: 5,
  path_filestat_set_times: 'i32,i32,i32,i32,i64,i64,i32->i32',
  // Not as in preview 1, which has 7 and 5 parameters: a module that imports those does not link.
  path_link: 6,
  path_readlink: 6,
  path_remove_directory: 3,
  path_rename: 6,
  path_symlink: 4,
  path_unlink_file: 3,
  sock_accept: 3,
  sock_recv: 6,
  sock_send: 5,
  sock_shutdown: 2,
};

const WASI_MODULES: readonly string[] = ['wasi_unstable', 'wasi_snapshot_preview1'];

/** Host functions by `<module>.<name>`, each with the type that links. */
export type HostFunctions = ReadonlyMap<string, string>;

/** What an Envoy of this version links for a module of this ABI; a version that cannot be read counts as newest. */
export function findHostFunctions(abi: ProxyWasmAbi, envoyVersion: string): HostFunctions {
  const functions = new Map<string, string>();
  const add = (prefix: string, table: Readonly<Record<string, number | string>>) => {
    for (const [name, type] of Object.entries(table)) functions.set(`${prefix}${name}`, toSignature(type));
  };
  add('env.proxy_', PROXY);
  add('env.proxy_', PROXY_BY_ABI[abi]);
  add('env.', UNPREFIXED);
  for (const module of WASI_MODULES) {
    add(`${module}.`, WASI);
    if (isAtLeast139(envoyVersion)) add(`${module}.`, WASI_1_39);
  }
  return functions;
}

function toSignature(type: number | string): string {
  return typeof type === 'string' ? type : `${Array(type).fill('i32').join(',')}->i32`;
}

function isAtLeast139(envoyVersion: string): boolean {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(envoyVersion) ?? [];
  if (major === undefined || minor === undefined) return true;
  return Number(major) > 1 || Number(minor) >= 39;
}
