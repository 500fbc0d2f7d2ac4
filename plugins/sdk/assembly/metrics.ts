import { proxy_define_metric, proxy_increment_metric } from "./externals";
import { addressOf, encode, valueSlot } from "./memory";

/** A counter among the host's metrics; Envoy shows it as `wasmcustom.<name>`. Define it in onConfigure. */
export class Counter {
  private readonly id: i32;

  constructor(name: string) {
    const bytes = encode(name);
    proxy_define_metric(0, addressOf(bytes), bytes.byteLength, valueSlot());
    this.id = load<i32>(valueSlot());
  }

  increment(offset: i64 = 1): void {
    proxy_increment_metric(this.id, offset);
  }
}
