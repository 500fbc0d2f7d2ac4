// The functions a host calls. A plugin's entry file says `export * from "…/sdk/assembly/callbacks"`. Bodies, ticks,
// queues and HTTP calls have files of their own: what a module exports is called for every request.
import { createContext, deleteContext, hasStream, rootContext, streamContext } from "./context";

export { proxy_on_memory_allocate } from "./memory";

export function proxy_on_context_create(id: u32, parentId: u32): void {
  createContext(id, parentId);
}

export function proxy_on_vm_start(rootId: u32, size: u32): bool {
  return rootContext(rootId).onVmStart(size);
}

export function proxy_on_configure(rootId: u32, size: u32): bool {
  return rootContext(rootId).onConfigure(size);
}

export function proxy_on_request_headers(id: u32, headers: u32, endOfStream: bool): i32 {
  const stream = streamContext(id);
  stream.endOfStream = endOfStream;
  return stream.onRequestHeaders();
}

export function proxy_on_response_headers(id: u32, headers: u32, endOfStream: bool): i32 {
  const stream = streamContext(id);
  stream.endOfStream = endOfStream;
  return stream.onResponseHeaders();
}

export function proxy_on_done(id: u32): bool {
  return true;
}

export function proxy_on_log(id: u32): void {
  // Root contexts are logged as well.
  if (hasStream(id)) streamContext(id).onLog();
}

export function proxy_on_delete(id: u32): void {
  deleteContext(id);
}
