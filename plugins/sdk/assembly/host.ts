import { proxy_get_buffer_bytes, proxy_get_current_time_nanoseconds, proxy_get_property, proxy_send_local_response } from "./externals";
import { addressOf, encode, sizeSlot, takeText, valueSlot } from "./memory";

const VM_CONFIGURATION: i32 = 6;
const PLUGIN_CONFIGURATION: i32 = 7;

/** The `pluginConfig`, as the JSON text that the host gives; "" where there is none. */
export function pluginConfiguration(size: u32): string {
  return configuration(PLUGIN_CONFIGURATION, size);
}

/** The configuration of the VM; "" where there is none. */
export function vmConfiguration(size: u32): string {
  return configuration(VM_CONFIGURATION, size);
}

function configuration(buffer: i32, size: u32): string {
  if (size == 0) return "";
  const text = takeText(proxy_get_buffer_bytes(buffer, 0, size, valueSlot(), sizeSlot()));
  return text === null ? "" : text;
}

/**
 * A text property, e.g. `["xds", "node", "id"]`; null where the host has none. Numbers come as 8 bytes and are not for this.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/advanced/attributes
 */
export function property(path: string[]): string | null {
  const joined = encode(path.join("\0"));
  return takeText(proxy_get_property(addressOf(joined), joined.byteLength, valueSlot(), sizeSlot()));
}

/** Answers the request itself. Return `Action.pause` after it. */
export function sendLocalResponse(statusCode: i32, body: string): void {
  const text = encode(body);
  proxy_send_local_response(statusCode, 0, 0, addressOf(text), text.byteLength, 0, 0, -1);
}

/** Wall-clock time in nanoseconds since the epoch. */
export function currentTimeNanoseconds(): u64 {
  const slot = memory.data(8);
  proxy_get_current_time_nanoseconds(slot);
  return load<u64>(slot);
}
