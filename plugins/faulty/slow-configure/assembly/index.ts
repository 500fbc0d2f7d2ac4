// Keeps its host busy in onConfigure for as long as pluginConfig {"ms": 500} says, then accepts it.
import {
  currentTimeNanoseconds, parseJsonObject, pluginConfiguration, registerPlugin, RootContext,
} from "../../../sdk/assembly";

export * from "../../../sdk/assembly/abi";
export * from "../../../sdk/assembly/callbacks";

class SlowConfigure extends RootContext {
  onConfigure(size: u32): bool {
    const durationMs = parseJsonObject(pluginConfiguration(size)).get("ms", "0");
    const end = currentTimeNanoseconds() + u64(U32.parseInt(durationMs)) * 1_000_000;
    while (currentTimeNanoseconds() < end) {}
    return true;
  }
}

registerPlugin(() => new SlowConfigure());
