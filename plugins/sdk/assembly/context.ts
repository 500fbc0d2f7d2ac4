import { proxy_continue_stream, proxy_set_effective_context, proxy_set_tick_period_milliseconds } from "./externals";

/** What a callback about headers, a body or trailers answers. */
export namespace Action {
  /** Goes on to the next plugin, or to the application. */
  export const proceed: i32 = 0;
  /** Stops here: after sendLocalResponse, or until resumeRequest or resumeResponse. Of a body it keeps what came. */
  export const pause: i32 = 1;
}

/** One plugin configuration in one VM: every worker of an Envoy has its own. Subclass it and name the subclass with `registerPlugin`. */
export class RootContext {
  /** The host's number for it. */
  id: u32 = 0;

  /** False refuses the VM. `size` is that of the VM's configuration in bytes. */
  onVmStart(size: u32): bool {
    return true;
  }

  /** False refuses the configuration, of `size` bytes; log the reason first. Called again for a new one. */
  onConfigure(size: u32): bool {
    return true;
  }

  /** Comes every `setTickPeriod` milliseconds. Needs `export * from "…/callbacks-root"`. */
  onTick(): void {}

  /** Something was put into a shared queue that this plugin registered. Needs `callbacks-root`. */
  onQueueReady(queue: u32): void {}

  /** The answer to an `httpCall` of this context, made in onConfigure or onTick. Needs `callbacks-root`. */
  onHttpCallResponse(call: u32, bodySize: u32): void {}

  /** The context of a request that begins. */
  createStream(): StreamContext {
    return new StreamContext();
  }
}

/** One request and its response. */
export class StreamContext {
  /** The host's number for it. */
  id: u32 = 0;
  /** Whether nothing of the same kind comes after what the callback is about: no body after headers, no more of a body. */
  endOfStream: bool = false;

  /** `requestHeaders` is there. */
  onRequestHeaders(): i32 {
    return Action.proceed;
  }

  /** A part of the body, of `size` bytes, with what was kept of it. Needs `export * from "…/callbacks-body"`. */
  onRequestBody(size: u32): i32 {
    return Action.proceed;
  }

  /** `requestTrailers` is there. Needs `callbacks-body`. */
  onRequestTrailers(): i32 {
    return Action.proceed;
  }

  /** `responseHeaders` is there: the application's, or those of a local response. */
  onResponseHeaders(): i32 {
    return Action.proceed;
  }

  /** As onRequestBody, of the response. Needs `callbacks-body`. */
  onResponseBody(size: u32): i32 {
    return Action.proceed;
  }

  /** `responseTrailers` is there. Needs `callbacks-body`. */
  onResponseTrailers(): i32 {
    return Action.proceed;
  }

  /** The answer to an `httpCall` of this context. Needs `export * from "…/callbacks-root"`. */
  onHttpCallResponse(call: u32, bodySize: u32): void {}

  /** After the last byte, before the context goes. */
  onLog(): void {}
}

type RootFactory = () => RootContext;

let factory: RootFactory = () => new RootContext();
const roots = new Map<u32, RootContext>();
const streams = new Map<u32, StreamContext>();

/** Call it once in the plugin's top-level code. */
export function registerPlugin(create: RootFactory): void {
  factory = create;
}

/** A context the host begins; `parentId` 0 means a root context. */
export function createContext(id: u32, parentId: u32): void {
  if (parentId == 0) {
    const root = factory();
    root.id = id;
    roots.set(id, root);
  } else {
    const stream = roots.get(parentId).createStream();
    stream.id = id;
    streams.set(id, stream);
  }
}

export function rootContext(id: u32): RootContext {
  return roots.get(id);
}

export function streamContext(id: u32): StreamContext {
  return streams.get(id);
}

/** Whether the context is one of a request. */
export function hasStream(id: u32): bool {
  return streams.has(id);
}

/** The host is done with a context, of either kind. */
export function deleteContext(id: u32): void {
  if (!streams.delete(id)) roots.delete(id);
}

/** Has `onTick` called every so many milliseconds; 0 ends that. Call it in onConfigure. */
export function setTickPeriod(milliseconds: u32): void {
  proxy_set_tick_period_milliseconds(milliseconds);
}

/** Lets a request go on that was paused. From another context than its own: `stream` says whose. */
export function resumeRequest(stream: StreamContext | null = null): void {
  if (stream) proxy_set_effective_context(stream.id);
  proxy_continue_stream(0);
}

/** Lets a response go on that was paused. From another context than its own: `stream` says whose. */
export function resumeResponse(stream: StreamContext | null = null): void {
  if (stream) proxy_set_effective_context(stream.id);
  proxy_continue_stream(1);
}
