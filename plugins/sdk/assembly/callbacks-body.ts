// Bodies and trailers, for the plugins that look at them: `export * from "…/sdk/assembly/callbacks-body"`.
import { streamContext } from "./context";

export function proxy_on_request_body(id: u32, size: u32, endOfStream: bool): i32 {
  const stream = streamContext(id);
  stream.endOfStream = endOfStream;
  return stream.onRequestBody(size);
}

export function proxy_on_request_trailers(id: u32, trailers: u32): i32 {
  return streamContext(id).onRequestTrailers();
}

export function proxy_on_response_body(id: u32, size: u32, endOfStream: bool): i32 {
  const stream = streamContext(id);
  stream.endOfStream = endOfStream;
  return stream.onResponseBody(size);
}

export function proxy_on_response_trailers(id: u32, trailers: u32): i32 {
  return streamContext(id).onResponseTrailers();
}
