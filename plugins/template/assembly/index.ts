// Greets: adds a header to every response, and answers /healthz itself.
// pluginConfig: {"greeting": "hello"}; config.schema.json says what is allowed, README.md how to go on.
import {
  Action, JsonKind, log, LogLevel, parseJsonObject, pluginConfiguration, registerPlugin, requestHeaders, responseHeaders,
  RootContext, sendLocalResponse, StreamContext,
} from "../../sdk/assembly";

export * from "../../sdk/assembly/abi";
export * from "../../sdk/assembly/callbacks";

class Plugin extends RootContext {
  greeting: string = "";

  /** What it logs before it answers false is what `attache apply` shows. */
  onConfigure(size: u32): bool {
    const config = parseJsonObject(pluginConfiguration(size));
    if (config.fault.length > 0) {
      log(LogLevel.error, config.fault);
      return false;
    }
    const kind = config.kind("greeting");
    if (kind != JsonKind.missing && kind != JsonKind.string) {
      log(LogLevel.error, "greeting: expected a string, got " + kind);
      return false;
    }
    this.greeting = config.get("greeting", "hello");
    return true;
  }

  createStream(): StreamContext {
    return new PluginStream(this);
  }
}

/** One request and its response. */
class PluginStream extends StreamContext {
  constructor(private readonly root: Plugin) {
    super();
  }

  onRequestHeaders(): i32 {
    if (requestHeaders.get(":path") == "/healthz") {
      sendLocalResponse(200, "ok\n");
      return Action.pause;
    }
    return Action.proceed;
  }

  onResponseHeaders(): i32 {
    responseHeaders.add("x-greeting", this.root.greeting);
    return Action.proceed;
  }
}

registerPlugin(() => new Plugin());
