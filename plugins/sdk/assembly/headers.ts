import {
  proxy_add_header_map_value, proxy_get_header_map_value, proxy_remove_header_map_value, proxy_replace_header_map_value,
} from "./externals";
import { addressOf, encode, sizeSlot, takeText, valueSlot } from "./memory";

/** One of the header maps of the current stream. */
class HeaderMap {
  constructor(private readonly map: i32) {}

  /** The value of a header, null where there is none. Several values come joined by the host. */
  get(name: string): string | null {
    const key = encode(name);
    const status = proxy_get_header_map_value(this.map, addressOf(key), key.byteLength, valueSlot(), sizeSlot());
    return takeText(status);
  }

  /** Adds a value beside those that are there. */
  add(name: string, value: string): void {
    const key = encode(name);
    const text = encode(value);
    proxy_add_header_map_value(this.map, addressOf(key), key.byteLength, addressOf(text), text.byteLength);
  }

  /** Sets a header to one value. */
  replace(name: string, value: string): void {
    const key = encode(name);
    const text = encode(value);
    proxy_replace_header_map_value(this.map, addressOf(key), key.byteLength, addressOf(text), text.byteLength);
  }

  remove(name: string): void {
    const key = encode(name);
    proxy_remove_header_map_value(this.map, addressOf(key), key.byteLength);
  }
}

/** Of the request: readable and writable from onRequestHeaders. */
export const requestHeaders = new HeaderMap(0);

/** Of the response: readable and writable from onResponseHeaders. */
export const responseHeaders = new HeaderMap(2);
