// Imports a host function that no Envoy has.
import { Action, registerPlugin, RootContext, StreamContext } from "../../../sdk/assembly";

export * from "../../../sdk/assembly/abi";
export * from "../../../sdk/assembly/callbacks";

@external("env", "proxy_no_such_function")
declare function proxy_no_such_function(): i32;

class UnknownImport extends RootContext {
  createStream(): StreamContext {
    return new UnknownImportStream();
  }
}

class UnknownImportStream extends StreamContext {
  onRequestHeaders(): i32 {
    proxy_no_such_function();
    return Action.proceed;
  }
}

registerPlugin(() => new UnknownImport());
