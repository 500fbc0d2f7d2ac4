import { proxy_get_buffer_bytes, proxy_set_buffer_bytes } from "./externals";
import { addressOf, encode, sizeSlot, takeText, valueSlot } from "./memory";

/** The body of a request, of a response, or of the answer to a call, as far as the host has it now. */
export class Body {
  constructor(private readonly buffer: i32) {}

  /** Up to `size` bytes from `start` on, as text; "" where there are none. */
  text(start: u32, size: u32): string {
    const text = takeText(proxy_get_buffer_bytes(this.buffer, start, size, valueSlot(), sizeSlot()));
    return text === null ? "" : text;
  }

  /** Puts a text in the place of the first `size` bytes. Take `content-length` away before, in the header callback. */
  replace(size: u32, text: string): void {
    const bytes = encode(text);
    proxy_set_buffer_bytes(this.buffer, 0, size, addressOf(bytes), bytes.byteLength);
  }
}

/** In onRequestBody. */
export const requestBody = new Body(0);

/** In onResponseBody. */
export const responseBody = new Body(1);

/** Of the answer to an `httpCall`, read only: in onHttpCallResponse. */
export const httpCallBody = new Body(4);
