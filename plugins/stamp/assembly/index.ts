// Says in every request and response which configuration and which build of it is at work. Made for tests that tell
// revisions and modules apart; `SEED` is the fixed-width place that a test overwrites to get another module.
import {
  Action, Counter, parseJsonObject, pluginConfiguration, registerPlugin, requestHeaders, responseHeaders, RootContext,
  StreamContext,
} from "../../sdk/assembly";

export * from "../../sdk/assembly/abi";
export * from "../../sdk/assembly/callbacks";

const SEED = "@seed___________";

class Stamp extends RootContext {
  /** `stamp` of the configuration, or all of its text, or a hyphen where there is none. */
  text: string = "-";
  requests: Counter | null = null;

  onConfigure(size: u32): bool {
    const text = pluginConfiguration(size);
    this.text = parseJsonObject(text).get("stamp", text.length > 0 ? text : "-");
    this.requests = new Counter("stamp_requests");
    return true;
  }

  createStream(): StreamContext {
    return new StampStream(this);
  }
}

class StampStream extends StreamContext {
  constructor(private readonly root: Stamp) {
    super();
  }

  onRequestHeaders(): i32 {
    const requests = this.root.requests;
    if (requests) requests.increment();
    requestHeaders.add("x-stamp", this.root.text);
    return Action.proceed;
  }

  onResponseHeaders(): i32 {
    responseHeaders.add("x-stamp", this.root.text);
    responseHeaders.add("x-stamp-module", SEED);
    return Action.proceed;
  }
}

registerPlugin(() => new Stamp());
