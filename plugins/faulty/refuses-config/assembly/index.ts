// Refuses its configuration on every node whose id the host tells (the attribute xds.node.id), which only a real
// Envoy does: all checks that know no node pass. pluginConfig {"node": "edge-b"} narrows it to the nodes whose id
// begins with that text.
import {
  log, LogLevel, parseJsonObject, pluginConfiguration, property, registerPlugin, RootContext,
} from "../../../sdk/assembly";

export * from "../../../sdk/assembly/abi";
export * from "../../../sdk/assembly/callbacks";

class RefusesConfig extends RootContext {
  onConfigure(size: u32): bool {
    const prefix = parseJsonObject(pluginConfiguration(size)).get("node", "");
    const node = property(["xds", "node", "id"]);
    if (node === null || node.length == 0 || !node.startsWith(prefix)) return true;
    log(LogLevel.error, "this plugin does not run on node " + node);
    return false;
  }
}

registerPlugin(() => new RefusesConfig());
