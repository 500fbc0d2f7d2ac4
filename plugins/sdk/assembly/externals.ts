// The Proxy-Wasm host calls that the SDK uses, letter for letter (ABI 0.2.1, module "env"). Every call answers a
// status: 0 is good, 1 is "not found". Only those that a plugin really reaches become imports of its module.
// https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1

@external("env", "proxy_log")
export declare function proxy_log(level: i32, text: usize, size: usize): i32;

@external("env", "proxy_get_current_time_nanoseconds")
export declare function proxy_get_current_time_nanoseconds(result: usize): i32;

@external("env", "proxy_get_property")
export declare function proxy_get_property(path: usize, pathSize: usize, value: usize, valueSize: usize): i32;

@external("env", "proxy_get_buffer_bytes")
export declare function proxy_get_buffer_bytes(
  buffer: i32, start: usize, length: usize, value: usize, valueSize: usize,
): i32;

@external("env", "proxy_get_header_map_value")
export declare function proxy_get_header_map_value(
  map: i32, name: usize, nameSize: usize, value: usize, valueSize: usize,
): i32;

@external("env", "proxy_add_header_map_value")
export declare function proxy_add_header_map_value(
  map: i32, name: usize, nameSize: usize, value: usize, valueSize: usize,
): i32;

@external("env", "proxy_replace_header_map_value")
export declare function proxy_replace_header_map_value(
  map: i32, name: usize, nameSize: usize, value: usize, valueSize: usize,
): i32;

@external("env", "proxy_remove_header_map_value")
export declare function proxy_remove_header_map_value(map: i32, name: usize, nameSize: usize): i32;

@external("env", "proxy_send_local_response")
export declare function proxy_send_local_response(
  statusCode: i32, details: usize, detailsSize: usize, body: usize, bodySize: usize,
  headers: usize, headersSize: usize, grpcStatus: i32,
): i32;

@external("env", "proxy_define_metric")
export declare function proxy_define_metric(type: i32, name: usize, nameSize: usize, metricId: usize): i32;

@external("env", "proxy_increment_metric")
export declare function proxy_increment_metric(metricId: i32, offset: i64): i32;

@external("env", "proxy_get_shared_data")
export declare function proxy_get_shared_data(
  key: usize, keySize: usize, value: usize, valueSize: usize, cas: usize,
): i32;

@external("env", "proxy_set_shared_data")
export declare function proxy_set_shared_data(
  key: usize, keySize: usize, value: usize, valueSize: usize, cas: u32,
): i32;

@external("env", "proxy_set_property")
export declare function proxy_set_property(path: usize, pathSize: usize, value: usize, valueSize: usize): i32;

@external("env", "proxy_set_buffer_bytes")
export declare function proxy_set_buffer_bytes(
  buffer: i32, start: usize, length: usize, value: usize, valueSize: usize,
): i32;

@external("env", "proxy_get_header_map_pairs")
export declare function proxy_get_header_map_pairs(map: i32, value: usize, valueSize: usize): i32;

@external("env", "proxy_continue_stream")
export declare function proxy_continue_stream(stream: i32): i32;

@external("env", "proxy_set_effective_context")
export declare function proxy_set_effective_context(id: u32): i32;

@external("env", "proxy_set_tick_period_milliseconds")
export declare function proxy_set_tick_period_milliseconds(period: u32): i32;

@external("env", "proxy_http_call")
export declare function proxy_http_call(
  cluster: usize, clusterSize: usize, headers: usize, headersSize: usize, body: usize, bodySize: usize,
  trailers: usize, trailersSize: usize, timeout: u32, call: usize,
): i32;

@external("env", "proxy_record_metric")
export declare function proxy_record_metric(metricId: i32, value: u64): i32;

@external("env", "proxy_register_shared_queue")
export declare function proxy_register_shared_queue(name: usize, nameSize: usize, queue: usize): i32;

@external("env", "proxy_resolve_shared_queue")
export declare function proxy_resolve_shared_queue(
  vmId: usize, vmIdSize: usize, name: usize, nameSize: usize, queue: usize,
): i32;

@external("env", "proxy_enqueue_shared_queue")
export declare function proxy_enqueue_shared_queue(queue: u32, value: usize, valueSize: usize): i32;

@external("env", "proxy_dequeue_shared_queue")
export declare function proxy_dequeue_shared_queue(queue: u32, value: usize, valueSize: usize): i32;
