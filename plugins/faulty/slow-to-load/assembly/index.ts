// Good, but its Envoy is busy with it for a while before it answers whether it takes it, as with a module of many
// megabytes: pluginConfig {"seconds": 10}. Only the first start in the process takes that long, which is on the main
// thread: the workers go on with their requests.
import {
  Action, countUp, currentTimeNanoseconds, parseJsonObject, pluginConfiguration, registerPlugin, responseHeaders,
  RootContext, StreamContext,
} from "../../../sdk/assembly";

export * from "../../../sdk/assembly/abi";
export * from "../../../sdk/assembly/callbacks";

class SlowToLoad extends RootContext {
  onConfigure(size: u32): bool {
    const seconds = parseJsonObject(pluginConfiguration(size)).get("seconds", "10");
    const end = currentTimeNanoseconds() + u64(U32.parseInt(seconds)) * 1_000_000_000;
    if (countUp("starts") == 1) while (currentTimeNanoseconds() < end) {}
    return true;
  }

  createStream(): StreamContext {
    return new WorkingStream();
  }
}

class WorkingStream extends StreamContext {
  onResponseHeaders(): i32 {
    responseHeaders.add("x-slow-to-load", "works");
    return Action.proceed;
  }
}

registerPlugin(() => new SlowToLoad());
