// Ticks, shared queues and answers to HTTP calls: `export * from "…/sdk/assembly/callbacks-root"`.
import { hasStream, rootContext, streamContext } from "./context";
import { proxy_set_effective_context } from "./externals";
import { takeCaller } from "./http-call";

export function proxy_on_tick(rootId: u32): void {
  rootContext(rootId).onTick();
}

export function proxy_on_queue_ready(rootId: u32, queue: u32): void {
  rootContext(rootId).onQueueReady(queue);
}

export function proxy_on_http_call_response(
  rootId: u32, call: u32, headers: u32, bodySize: u32, trailers: u32,
): void {
  const caller = takeCaller(call);
  if (caller == 0 || caller == rootId) {
    rootContext(rootId).onHttpCallResponse(call, bodySize);
    return;
  }
  // Its request may have ended meanwhile.
  if (!hasStream(caller)) return;
  proxy_set_effective_context(caller);
  streamContext(caller).onHttpCallResponse(call, bodySize);
}
