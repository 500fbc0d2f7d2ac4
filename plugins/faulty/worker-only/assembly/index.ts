// Starts on the main thread of its Envoy and refuses to start on the workers, of which no answer of the Envoy tells:
// requests pass without it. It counts its starts in the process: the first is the one on which the answer depends.
// pluginConfig {"from": 4} refuses from the fourth on; the main thread and the workers make them in any order.
import {
  Action, countUp, log, LogLevel, parseJsonObject, pluginConfiguration, registerPlugin, responseHeaders, RootContext,
  StreamContext,
} from "../../../sdk/assembly";

export * from "../../../sdk/assembly/abi";
export * from "../../../sdk/assembly/callbacks";

class WorkerOnly extends RootContext {
  onConfigure(size: u32): bool {
    const from = U32.parseInt(parseJsonObject(pluginConfiguration(size)).get("from", "2"));
    const start = countUp("starts");
    if (start < from) return true;
    log(LogLevel.error, "refuses start " + start.toString());
    return false;
  }

  createStream(): StreamContext {
    return new WorkingStream();
  }
}

class WorkingStream extends StreamContext {
  onResponseHeaders(): i32 {
    responseHeaders.add("x-worker-only", "works");
    return Action.proceed;
  }
}

registerPlugin(() => new WorkerOnly());
