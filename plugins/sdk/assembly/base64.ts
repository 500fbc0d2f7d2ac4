// https://www.rfc-editor.org/rfc/rfc4648#section-4
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** UTF-8 text out of base64, with or without its padding; null where it is no base64. */
export function decodeBase64(text: string): string | null {
  const end = text.endsWith("==") ? text.length - 2 : text.endsWith("=") ? text.length - 1 : text.length;
  if (end % 4 == 1) return null;
  const bytes = new Uint8Array((end * 3) / 4);
  let bits: u32 = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < end; i++) {
    const value = ALPHABET.indexOf(text.charAt(i));
    if (value < 0) return null;
    bits = (bits << 6) | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes[at++] = <u8>(bits >> held);
  }
  return String.UTF8.decode(bytes.buffer);
}
