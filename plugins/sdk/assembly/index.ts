// The beginning of a small Proxy-Wasm SDK for AssemblyScript. A plugin is three things: `export * from` callbacks.ts
// and abi.ts, a subclass of RootContext, and `registerPlugin`.
export { Action, registerPlugin, RootContext, StreamContext } from "./context";
export { requestHeaders, responseHeaders } from "./headers";
export { currentTimeNanoseconds, pluginConfiguration, property, sendLocalResponse, vmConfiguration } from "./host";
export { JsonKind, JsonObject, parseJsonObject } from "./json";
export { log, LogLevel } from "./log";
export { Counter } from "./metrics";
export { countUp, readShared, writeShared } from "./shared-data";
