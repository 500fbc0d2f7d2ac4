// Lets so many requests a second through and answers 403 to the rest; adds a header that says the limit to every
// response. pluginConfig: {"requestsPerSecond": 2, "burst": 2, "status": 403, "header": "x-rate-limit"}; all may be left out.
//
// One bucket for all workers of an Envoy: they share it. Every Envoy has its own, so that three of them let three times as
// many through.
import {
  Action, Counter, currentTimeNanoseconds, JsonKind, JsonObject, log, LogLevel, parseJsonObject, pluginConfiguration,
  readShared, registerPlugin, responseHeaders, RootContext, sendLocalResponse, StreamContext, writeIfUnchanged,
} from "../../sdk/assembly";

export * from "../../sdk/assembly/abi";
export * from "../../sdk/assembly/callbacks";

const BUCKET = "bucket";
const SECOND: f64 = 1_000_000_000;

class RateLimit extends RootContext {
  requestsPerSecond: i32 = 0;
  burst: i32 = 0;
  status: i32 = 0;
  header: string = "";
  refused: Counter | null = null;

  onConfigure(size: u32): bool {
    const config = parseJsonObject(pluginConfiguration(size));
    const fault = findFault(config);
    if (fault.length > 0) {
      log(LogLevel.error, fault);
      return false;
    }
    this.requestsPerSecond = number(config, "requestsPerSecond", 2);
    this.burst = number(config, "burst", this.requestsPerSecond);
    this.status = number(config, "status", 403);
    this.header = config.get("header", "x-rate-limit");
    this.refused = new Counter("rate_limit_refused");
    return true;
  }

  createStream(): StreamContext {
    return new RateLimitStream(this);
  }

  /** Whether there was a token left; takes it. */
  take(): bool {
    let tokens: f64;
    do {
      const text = readShared(BUCKET);
      const now = currentTimeNanoseconds();
      tokens = text === null ? this.burst : refill(text, now, this.requestsPerSecond, this.burst);
      const left = tokens < 1 ? tokens : tokens - 1;
      if (writeIfUnchanged(BUCKET, left.toString() + " " + now.toString())) break;
    } while (true);
    return tokens >= 1;
  }
}

/** What is in a bucket now, of its text `<tokens> <time>`: tokens of then, and those that came since. */
function refill(text: string, now: u64, perSecond: i32, most: i32): f64 {
  const parts = text.split(" ");
  const then = U64.parseInt(parts[1]);
  // The clock of a machine may be set back.
  const passed = now > then ? <f64>(now - then) / SECOND : 0;
  return Math.min(F64.parseFloat(parts[0]) + passed * perSecond, most);
}

class RateLimitStream extends StreamContext {
  constructor(private readonly root: RateLimit) {
    super();
  }

  onRequestHeaders(): i32 {
    if (this.root.take()) return Action.proceed;
    const refused = this.root.refused;
    if (refused) refused.increment();
    sendLocalResponse(this.root.status, "too many requests\n", null, "rate_limited");
    return Action.pause;
  }

  /** The answer of onRequestHeaders comes here as well. */
  onResponseHeaders(): i32 {
    responseHeaders.replace(this.root.header, this.root.requestsPerSecond.toString());
    return Action.proceed;
  }
}

/** What is wrong with a configuration, "" where nothing is. The schema beside this file says the same to Attaché. */
function findFault(config: JsonObject): string {
  if (config.fault.length > 0) return config.fault;
  for (let i = 0; i < config.keys.length; i++) {
    const key = config.keys[i];
    if (key != "requestsPerSecond" && key != "burst" && key != "status" && key != "header")
      return key + ": unknown; there are requestsPerSecond, burst, status and header";
    const wanted = key == "header" ? JsonKind.string : JsonKind.number;
    if (config.kind(key) != wanted) return key + ": expected a " + wanted + ", got " + config.kind(key);
  }
  if (!isBetween(config, "requestsPerSecond", 1, 1_000_000)) return "requestsPerSecond: expected 1 to 1000000";
  if (!isBetween(config, "burst", 1, 1_000_000)) return "burst: expected 1 to 1000000";
  if (!isBetween(config, "status", 400, 599)) return "status: expected 400 to 599";
  if (!isHeaderName(config.get("header", "x"))) return "header: not a header name";
  return "";
}

function number(config: JsonObject, key: string, otherwise: i32): i32 {
  return <i32>F64.parseFloat(config.get(key, otherwise.toString()));
}

/** A whole number from `least` to `most`, or nothing. */
function isBetween(config: JsonObject, key: string, least: f64, most: f64): bool {
  const value = F64.parseFloat(config.get(key, least.toString()));
  return value >= least && value <= most && Math.floor(value) == value;
}

/** Letters, digits and hyphens: less than a token of RFC 9110, and every header in use. */
function isHeaderName(name: string): bool {
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i);
    const lower = code | 0x20;
    if (!((lower >= 0x61 && lower <= 0x7a) || (code >= 0x30 && code <= 0x39) || code == 0x2d)) return false;
  }
  return name.length > 0;
}

registerPlugin(() => new RateLimit());
