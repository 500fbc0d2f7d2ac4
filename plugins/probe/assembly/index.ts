// Logs every callback with what it sees, and does what the request header `x-probe` says. Made for tests that compare hosts.
import {
  Action, Headers, httpCall, httpCallBody, httpCallHeaders, log, LogLevel, registerPlugin, requestBody, requestHeaders,
  requestTrailers, responseBody, responseHeaders, responseTrailers, resumeRequest, RootContext,
  property, sendLocalResponse, setProperty, StreamContext,
} from "../../sdk/assembly";

export * from "../../sdk/assembly/abi";
export * from "../../sdk/assembly/callbacks";
export * from "../../sdk/assembly/callbacks-body";
export * from "../../sdk/assembly/callbacks-root";

class Probe extends RootContext {
  createStream(): StreamContext {
    return new ProbeStream();
  }
}

class ProbeStream extends StreamContext {
  /** What it is to do: words that may stand in `x-probe`. */
  orders: string = "";
  waits: bool = false;

  onRequestHeaders(): i32 {
    const orders = requestHeaders.get("x-probe");
    this.orders = orders === null ? "" : orders;
    say("request headers end=" + this.endOfStream.toString());
    setProperty(["probe_set"], "by the probe");
    say("property " + text(property(["request", "url_path"])) + ", " + text(property(["probe_set"])));
    requestHeaders.replace("x-seen", "first");
    requestHeaders.add("x-seen", "second");
    if (this.has("hold-request")) requestHeaders.remove("content-length");
    if (this.has("trap")) unreachable();
    if (this.has("local-at-headers")) return this.answer();
    if (this.has("call")) return this.call();
    return Action.proceed;
  }

  onRequestBody(size: u32): i32 {
    say("request body " + size.toString() + " end=" + this.endOfStream.toString() + " " + requestBody.text(0, size));
    say("request header in body " + text(requestHeaders.get("x-seen")));
    if (this.has("local-at-body")) return this.answer();
    if (!this.has("hold-request")) return Action.proceed;
    if (!this.endOfStream) return Action.pause;
    requestBody.replace(size, "<" + requestBody.text(0, size) + ">");
    return Action.proceed;
  }

  onRequestTrailers(): i32 {
    say("request trailers " + text(requestTrailers.get("x-trailer")));
    return Action.proceed;
  }

  onResponseHeaders(): i32 {
    say("response headers " + text(responseHeaders.get(":status")) + " end=" + this.endOfStream.toString());
    say("response x-local " + text(responseHeaders.get("x-local")) + ", type " + text(responseHeaders.get("content-type")));
    responseHeaders.remove("content-length");
    responseHeaders.add("x-probed", "yes");
    if (this.has("local-at-response") && !this.waits) {
      this.waits = true;
      return this.answer();
    }
    return Action.proceed;
  }

  onResponseBody(size: u32): i32 {
    say("response body " + size.toString() + " end=" + this.endOfStream.toString() + " " + responseBody.text(0, size));
    if (!this.has("hold-response")) return Action.proceed;
    if (!this.endOfStream) return Action.pause;
    responseBody.replace(size, "[" + responseBody.text(0, size) + "]");
    return Action.proceed;
  }

  onResponseTrailers(): i32 {
    say("response trailers " + text(responseTrailers.get("x-trailer")));
    return Action.proceed;
  }

  onHttpCallResponse(call: u32, bodySize: u32): void {
    say("call answered " + text(httpCallHeaders.get(":status")) + " " + httpCallBody.text(0, bodySize));
    requestHeaders.add("x-called", text(httpCallHeaders.get(":status")));
    if (this.has("local-at-call")) this.answer();
    else resumeRequest(this);
  }

  onLog(): void {
    say("log " + text(requestHeaders.get("x-probe")) + " " + text(responseHeaders.get(":status")));
  }

  private has(order: string): bool {
    return this.orders.split(" ").includes(order);
  }

  private answer(): i32 {
    sendLocalResponse(418, "short and stout", new Headers().add("x-local", "yes"), "by_the_probe");
    return Action.pause;
  }

  private call(): i32 {
    const headers = new Headers().add(":method", "POST").add(":path", "/called").add(":authority", "upstream");
    const call = httpCall(this, this.has("nowhere") ? "nowhere" : "upstream", headers, "ask");
    say(call == 0 ? "call refused" : "call made");
    return call == 0 ? Action.proceed : Action.pause;
  }
}

function say(line: string): void {
  log(LogLevel.warn, line);
}

function text(value: string | null): string {
  return value === null ? "-" : value;
}

registerPlugin(() => new Probe());
