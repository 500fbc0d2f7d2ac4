// Keeps its host busy in onConfigure for as long as pluginConfig {"ms": 500} says, then accepts it. With {"from": 3}
// only from the third start in the process on: the main thread makes the first, it and the workers the others.
import {
  countUp, currentTimeNanoseconds, parseJsonObject, pluginConfiguration, registerPlugin, RootContext,
} from "../../../sdk/assembly";

export * from "../../../sdk/assembly/abi";
export * from "../../../sdk/assembly/callbacks";

class SlowConfigure extends RootContext {
  onConfigure(size: u32): bool {
    const configuration = parseJsonObject(pluginConfiguration(size));
    if (countUp("starts") < U32.parseInt(configuration.get("from", "1"))) return true;
    const durationMs = configuration.get("ms", "0");
    const end = currentTimeNanoseconds() + u64(U32.parseInt(durationMs)) * 1_000_000;
    while (currentTimeNanoseconds() < end) {}
    return true;
  }
}

registerPlugin(() => new SlowConfigure());
