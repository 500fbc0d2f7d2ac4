// Refuses pluginConfig {"refuse": true} and lets every other configuration pass.
import { log, LogLevel, parseJsonObject, pluginConfiguration, registerPlugin, RootContext } from "../../../sdk/assembly";

export * from "../../../sdk/assembly/abi";
export * from "../../../sdk/assembly/callbacks";

class RefusesConfigByValue extends RootContext {
  onConfigure(size: u32): bool {
    if (parseJsonObject(pluginConfiguration(size)).get("refuse", "false") != "true") return true;
    log(LogLevel.error, "refuse: is true");
    return false;
  }
}

registerPlugin(() => new RefusesConfigByValue());
