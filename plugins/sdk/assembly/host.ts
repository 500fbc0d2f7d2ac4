import {
  proxy_get_buffer_bytes, proxy_get_current_time_nanoseconds, proxy_get_property, proxy_send_local_response,
  proxy_set_property,
} from "./externals";
import { addressOf, encode, sizeSlot, takeText, valueSlot } from "./memory";
import { encodePairs, Headers } from "./pairs";

const VM_CONFIGURATION: i32 = 6;
const PLUGIN_CONFIGURATION: i32 = 7;

/** The `pluginConfig`, as the JSON text that the host gives; "" where there is none. In onConfigure. */
export function pluginConfiguration(size: u32): string {
  return configuration(PLUGIN_CONFIGURATION, size);
}

/** The configuration of the VM; "" where there is none. In onVmStart. */
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

/** Sets a property of this request, for plugins behind this one and for access logs: `wasm.<name>` in filter state. */
export function setProperty(path: string[], value: string): void {
  const joined = encode(path.join("\0"));
  const text = encode(value);
  proxy_set_property(addressOf(joined), joined.byteLength, addressOf(text), text.byteLength);
}

/**
 * Answers the request itself; the application never sees it. Return `Action.pause` after it. The answer passes
 * onResponseHeaders too. `details` stand in Envoy's access log (%RESPONSE_CODE_DETAILS%): no spaces.
 */
export function sendLocalResponse(
  statusCode: i32, body: string, headers: Headers | null = null, details: string = "",
): void {
  const text = encode(body);
  const why = encode(details);
  const pairs = headers ? encodePairs(headers) : new ArrayBuffer(0);
  proxy_send_local_response(
    statusCode, addressOf(why), why.byteLength, addressOf(text), text.byteLength, addressOf(pairs), pairs.byteLength, -1,
  );
}

/** Wall-clock time in nanoseconds since the epoch. It may go back. */
export function currentTimeNanoseconds(): u64 {
  const slot = memory.data(8);
  proxy_get_current_time_nanoseconds(slot);
  return load<u64>(slot);
}
