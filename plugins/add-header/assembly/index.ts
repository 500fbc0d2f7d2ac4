// Adds one header to every response. pluginConfig: {"header": "x-hello", "value": "world"}; both may be left out.
import {
  Action, JsonKind, JsonObject, log, LogLevel, parseJsonObject, pluginConfiguration, registerPlugin, responseHeaders,
  RootContext, StreamContext,
} from "../../sdk/assembly";

export * from "../../sdk/assembly/abi";
export * from "../../sdk/assembly/callbacks";

class AddHeader extends RootContext {
  header: string = "";
  value: string = "";

  onConfigure(size: u32): bool {
    const config = parseJsonObject(pluginConfiguration(size));
    const fault = findFault(config);
    if (fault.length > 0) {
      log(LogLevel.error, fault);
      return false;
    }
    this.header = config.get("header", "x-hello");
    this.value = config.get("value", "world");
    return true;
  }

  createStream(): StreamContext {
    return new AddHeaderStream(this);
  }
}

class AddHeaderStream extends StreamContext {
  constructor(private readonly root: AddHeader) {
    super();
  }

  onResponseHeaders(): i32 {
    responseHeaders.add(this.root.header, this.root.value);
    return Action.proceed;
  }
}

/** What is wrong with a configuration, "" where nothing is. */
function findFault(config: JsonObject): string {
  if (config.fault.length > 0) return config.fault;
  for (let i = 0; i < config.keys.length; i++) {
    const key = config.keys[i];
    if (key != "header" && key != "value") return key + ": unknown; there are header and value";
    if (config.kind(key) != JsonKind.string) return key + ": expected a string, got " + config.kind(key);
  }
  if (!isHeaderName(config.get("header", "x"))) return "header: not a header name";
  if (!isHeaderValue(config.get("value", ""))) return "value: control characters are not allowed in a header";
  return "";
}

/** Letters, digits and hyphens: less than a token of RFC 9110, and every header in use. */
function isHeaderName(name: string): bool {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    const lower = code | 0x20;
    if (!((lower >= 0x61 && lower <= 0x7a) || (code >= 0x30 && code <= 0x39) || code == 0x2d)) return false;
  }
  return name.length > 0;
}

function isHeaderValue(value: string): bool {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if ((code < 0x20 && code != 0x09) || code == 0x7f) return false;
  }
  return true;
}

registerPlugin(() => new AddHeader());
