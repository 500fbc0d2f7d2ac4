import { proxy_define_metric, proxy_increment_metric, proxy_record_metric } from "./externals";
import { addressOf, encode, valueSlot } from "./memory";

function define(type: i32, name: string): i32 {
  const bytes = encode(name);
  proxy_define_metric(type, addressOf(bytes), bytes.byteLength, valueSlot());
  return load<i32>(valueSlot());
}

/** A counter among the host's metrics; Envoy shows it as `wasmcustom.<name>`. Define it in onConfigure. */
export class Counter {
  private readonly id: i32;

  constructor(name: string) {
    this.id = define(0, name);
  }

  /** By 1, or more; never less. */
  increment(offset: i64 = 1): void {
    proxy_increment_metric(this.id, offset);
  }
}

/** A value that goes up and down; summed over the workers of an Envoy. */
export class Gauge {
  private readonly id: i32;

  constructor(name: string) {
    this.id = define(1, name);
  }

  set(value: u64): void {
    proxy_record_metric(this.id, value);
  }

  /** By a number that may be negative. */
  change(offset: i64): void {
    proxy_increment_metric(this.id, offset);
  }
}

/** A distribution of values. */
export class Histogram {
  private readonly id: i32;

  constructor(name: string) {
    this.id = define(2, name);
  }

  record(value: u64): void {
    proxy_record_metric(this.id, value);
  }
}
