import protobuf from 'protobufjs/minimal.js';
import { XdsError } from './xds-error.ts';

/* What both forms of the discovery messages are read and written with. */

const { Reader } = protobuf;
type Reader = protobuf.Reader;

/** Takes a field; answers false for what it leaves to be skipped. */
type ReadField = (field: number, reader: Reader) => boolean;

/** Calls `read` per field. Throws XdsError `malformed-message`. */
export function readFields(bytes: Uint8Array, read: ReadField): void {
  try {
    readAll(Reader.create(bytes), read);
  } catch (error) {
    if (error instanceof XdsError) throw error;
    throw new XdsError('malformed-message', 'the message is not valid protobuf', { cause: error });
  }
}

/**
 * For a field that is a message, inside of readFields. With the reader of the message around it: with bytes and a reader for
 * each part a node with 120 extensions took 79 µs instead of 58.
 */
export function readNested(reader: Reader, read: ReadField): void {
  const length = reader.uint32();
  const end = reader.pos + length;
  const around = reader.len;
  if (end > around) throw new RangeError('a part is longer than what it is a part of');
  reader.len = end;
  readAll(reader, read);
  reader.len = around;
}

function readAll(reader: Reader, read: ReadField): void {
  const end = reader.len;
  while (reader.pos < end) {
    const key = reader.uint32();
    if (!read(key >>> 3, reader)) reader.skipType(key & 7);
  }
  if (reader.pos > end) throw new RangeError('a field is longer than its message');
}

/** google.rpc.Status: only its message; LDS texts end with a newline. */
export function readStatusMessage(bytes: Uint8Array): string {
  let message = '';
  readFields(bytes, (field, reader) => {
    if (field !== 2) return false;
    message = reader.string();
    return true;
  });
  return message.trim();
}

/** The key of a length-delimited field, which every field that we write is. */
export function tag(field: number): number {
  return (field << 3) | 2;
}

/** Of a length-delimited field with a number below 16, in bytes. */
export function sizeOfField(length: number): number {
  let size = 2 + length;
  for (let rest = length >>> 7; rest > 0; rest >>>= 7) size += 1;
  return size;
}

/** Writes key and length; the answer is where the field's bytes begin. */
export function writeKey(bytes: Buffer, at: number, key: number, length: number): number {
  let next = at;
  bytes[next++] = key;
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) bytes[next++] = (rest & 0x7f) | 0x80;
  bytes[next++] = rest;
  return next;
}

/** Writes a whole field of text, whose size in UTF-8 is known; the answer is where it ends. */
export function writeText(bytes: Buffer, at: number, key: number, text: string, size: number): number {
  const start = writeKey(bytes, at, key, size);
  bytes.write(text, start, size, 'utf8');
  return start + size;
}

/** Writes a whole field; the answer is where it ends. */
export function writeBytes(bytes: Buffer, at: number, key: number, value: Uint8Array): number {
  const start = writeKey(bytes, at, key, value.length);
  bytes.set(value, start);
  return start + value.length;
}
