// Works, and traps on a request that has the header `x-trap`. With pluginConfig {"oneWorker": true} it traps on every
// request of the worker that gets the first one, also in the VMs that this worker makes anew, and works on the others.
import {
  Action, countUp, parseJsonObject, pluginConfiguration, readShared, registerPlugin, requestHeaders,
  responseHeaders, RootContext, StreamContext, writeShared,
} from "../../../sdk/assembly";

export * from "../../../sdk/assembly/abi";
export * from "../../../sdk/assembly/callbacks";

/** Set while the VM that trapped has no successor yet. */
const VACANT = "vacant";

class TrapsInTraffic extends RootContext {
  private isUndecided: bool = false;
  private isTrapping: bool = false;

  onConfigure(size: u32): bool {
    const isForOne = parseJsonObject(pluginConfiguration(size)).get("oneWorker", "false") == "true";
    this.isTrapping = isForOne && readShared(VACANT) == "true";
    this.isUndecided = isForOne && !this.isTrapping;
    writeShared(VACANT, "false");
    return true;
  }

  /** Only a worker's VM gets requests; the first one to get any is the one that traps. */
  traps(): bool {
    if (this.isUndecided) this.isTrapping = countUp("serving") == 1;
    this.isUndecided = false;
    if (this.isTrapping) writeShared(VACANT, "true");
    return this.isTrapping;
  }

  createStream(): StreamContext {
    return new TrappingStream(this);
  }
}

class TrappingStream extends StreamContext {
  constructor(private readonly root: TrapsInTraffic) {
    super();
  }

  onRequestHeaders(): i32 {
    if (this.root.traps() || requestHeaders.get("x-trap") !== null) unreachable();
    return Action.proceed;
  }

  onResponseHeaders(): i32 {
    responseHeaders.add("x-traps-in-traffic", "works");
    return Action.proceed;
  }
}

registerPlugin(() => new TrapsInTraffic());
