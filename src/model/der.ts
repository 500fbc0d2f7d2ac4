/**
 * The part of DER (X.690) that certificates are made of. Reading is strict: what is not the one encoding that DER allows, or
 * does not end where it says, throws an Error.
 */

export interface DerElement {
  /** The identifier octet: class, constructed, number below 31. */
  readonly tag: number;
  readonly content: Uint8Array;
}

export const DER = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** All elements of a content, one after the other. */
export function readDer(bytes: Uint8Array): readonly DerElement[] {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at] ?? 0;
    if ((tag & 0x1f) === 0x1f) throw new Error('a tag of several bytes');
    const { length, start } = readLength(bytes, at + 1);
    if (start + length > bytes.length) throw new Error('an element goes beyond its end');
    elements.push({ tag, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return elements;
}

/** The elements of the one element that the bytes are. */
export function readDerInside(bytes: Uint8Array, tag: number): readonly DerElement[] {
  const [only, ...more] = readDer(bytes);
  if (only?.tag !== tag || more.length > 0) throw new Error(`expected one element of tag ${tag}`);
  return readDer(only.content);
}

function readLength(bytes: Uint8Array, at: number): { length: number; start: number } {
  const first = bytes[at];
  if (first === undefined) throw new Error('an element without a length');
  if (first < 0x80) return { length: first, start: at + 1 };
  const size = first & 0x7f;
  const digits = bytes.subarray(at + 1, at + 1 + size);
  if (size === 0 || size > 4 || digits.length < size || digits[0] === 0)
    throw new Error('a length that is not DER');
  const length = digits.reduce((sum, digit) => sum * 256 + digit, 0);
  if (length < 0x80) throw new Error('a length that is not DER');
  return { length, start: at + 1 + size };
}

/** One element; parts stand in it one after the other. */
export function toDer(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), toLength(content.length), content]);
}

function toLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const hex = length.toString(16);
  const digits = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.from([0x80 | digits.length]), digits]);
}

/** `1.2.840.10045.2.1`; the content of an element. */
export function toOidBytes(oid: string): Buffer {
  const [first = 0, second = 0, ...rest] = oid.split('.').map(Number);
  return Buffer.from([first * 40 + second, ...rest.flatMap(toBase128)]);
}

function toBase128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift(0x80 | (left & 0x7f));
  return digits;
}
