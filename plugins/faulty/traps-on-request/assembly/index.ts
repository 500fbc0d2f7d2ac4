// Loads, is configured, and traps on a request. pluginConfig {"path": "/trap"} narrows it to paths that begin so.
import {
  Action, parseJsonObject, pluginConfiguration, registerPlugin, requestHeaders, RootContext, StreamContext,
} from "../../../sdk/assembly";

export * from "../../../sdk/assembly/abi";
export * from "../../../sdk/assembly/callbacks";

class TrapsOnRequest extends RootContext {
  path: string = "";

  onConfigure(size: u32): bool {
    this.path = parseJsonObject(pluginConfiguration(size)).get("path", "");
    return true;
  }

  createStream(): StreamContext {
    return new TrappingStream(this.path);
  }
}

class TrappingStream extends StreamContext {
  constructor(private readonly path: string) {
    super();
  }

  onRequestHeaders(): i32 {
    const path = requestHeaders.get(":path");
    if (path !== null && path.startsWith(this.path)) unreachable();
    return Action.proceed;
  }
}

registerPlugin(() => new TrapsOnRequest());
