// Loads, is configured, and answers requests with 503. pluginConfig {"path": "/some"} narrows it to paths that begin so.
import {
  Action, parseJsonObject, pluginConfiguration, registerPlugin, requestHeaders, RootContext, sendLocalResponse,
  StreamContext,
} from "../../../sdk/assembly";

export * from "../../../sdk/assembly/abi";
export * from "../../../sdk/assembly/callbacks";

class Answers503 extends RootContext {
  path: string = "";

  onConfigure(size: u32): bool {
    this.path = parseJsonObject(pluginConfiguration(size)).get("path", "");
    return true;
  }

  createStream(): StreamContext {
    return new AnsweringStream(this.path);
  }
}

class AnsweringStream extends StreamContext {
  constructor(private readonly path: string) {
    super();
  }

  onRequestHeaders(): i32 {
    const path = requestHeaders.get(":path");
    if (path !== null && !path.startsWith(this.path)) return Action.proceed;
    sendLocalResponse(503, "answers-503\n");
    return Action.pause;
  }
}

registerPlugin(() => new Answers503());
