/*
 * A message as it goes over the wire: behind five bytes that say whether it is compressed, and its length.
 * Source: "Length-Prefixed-Message" in gRPC over HTTP2.
 */

/** Whether the message is compressed, and its length in four bytes. */
export const HEADER_BYTES = 5;

/** A frame whose message, of `size` bytes, is yet to be written, behind the header. */
export function createFrame(size: number): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_BYTES + size);
  frame[0] = 0;
  frame.writeUInt32BE(size, 1);
  return frame;
}

export function toFrame(message: Uint8Array): Buffer {
  const frame = createFrame(message.length);
  frame.set(message, HEADER_BYTES);
  return frame;
}
