// A small Proxy-Wasm SDK for AssemblyScript: README.md. A plugin is three things: `export * from` callbacks.ts and
// abi.ts, a subclass of RootContext, and `registerPlugin`.
export { decodeBase64 } from "./base64";
export { Body, httpCallBody, requestBody, responseBody } from "./body";
export {
  Action, registerPlugin, resumeRequest, resumeResponse, RootContext, setTickPeriod, StreamContext,
} from "./context";
export {
  HeaderMap, httpCallHeaders, requestHeaders, requestTrailers, responseHeaders, responseTrailers,
} from "./headers";
export {
  currentTimeNanoseconds, pluginConfiguration, property, sendLocalResponse, setProperty, vmConfiguration,
} from "./host";
export { httpCall } from "./http-call";
export { JsonKind, JsonObject, parseJsonObject } from "./json";
export { log, LogLevel } from "./log";
export { Counter, Gauge, Histogram } from "./metrics";
export { Headers } from "./pairs";
export { countUp, readShared, writeIfUnchanged, writeShared } from "./shared-data";
export { dequeue, enqueue, findQueue, registerQueue } from "./shared-queue";
