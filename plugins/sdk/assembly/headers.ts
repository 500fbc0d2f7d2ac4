import {
  proxy_add_header_map_value, proxy_get_header_map_pairs, proxy_get_header_map_value, proxy_remove_header_map_value,
  proxy_replace_header_map_value,
} from "./externals";
import { addressOf, encode, sizeSlot, takeText, valueSlot } from "./memory";
import { decodePairs, Headers } from "./pairs";

/** One of the header maps of the current stream. Names are in lower case; `:method`, `:path`, `:authority`, `:status` are there too. */
export class HeaderMap {
  constructor(private readonly map: i32) {}

  /** The value of a header, the first where it came more than once; null where there is none. */
  get(name: string): string | null {
    const key = encode(name);
    const status = proxy_get_header_map_value(this.map, addressOf(key), key.byteLength, valueSlot(), sizeSlot());
    return takeText(status);
  }

  /** All of them, in order. */
  all(): Headers {
    if (proxy_get_header_map_pairs(this.map, valueSlot(), sizeSlot()) != 0) return new Headers();
    const address = load<usize>(valueSlot());
    const headers = decodePairs(address, load<usize>(sizeSlot()));
    if (address != 0) heap.free(address);
    return headers;
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

  /** Takes a header away, all values of it. */
  remove(name: string): void {
    const key = encode(name);
    proxy_remove_header_map_value(this.map, addressOf(key), key.byteLength);
  }
}

/** Of the request: readable and writable in onRequestHeaders, and until it goes on; readable in onLog. */
export const requestHeaders = new HeaderMap(0);

/** Of the request: in onRequestTrailers. */
export const requestTrailers = new HeaderMap(1);

/** Of the response: readable and writable in onResponseHeaders; readable in onLog. */
export const responseHeaders = new HeaderMap(2);

/** Of the response: in onResponseTrailers. */
export const responseTrailers = new HeaderMap(3);

/** Of the answer to an `httpCall`, with `:status`: in onHttpCallResponse. Empty where the call failed. */
export const httpCallHeaders = new HeaderMap(6);
