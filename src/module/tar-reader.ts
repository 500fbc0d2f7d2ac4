import { ModuleError } from './module-error.ts';

/** A regular file of an archive. Read `chunks` before the next entry, or not at all. */
export interface TarEntry {
  /** As written, `./` in front taken off. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly chunks: AsyncIterable<Uint8Array>;
}

const BLOCK = 512;
const MAX_HEADERS = 10_000;
const MAX_NAME_BYTES = 4096;
/** Of a PAX or GNU name record. */
const MAX_RECORD_BYTES = 64 << 10;

/**
 * The regular files of a tar stream: ustar, PAX paths and sizes, GNU long names. Everything else is skipped, nothing
 * is written to disk, and no declared size is believed before its bytes came. Throws `bad-archive`.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13
 */
export async function* readTar(stream: AsyncIterable<Uint8Array>): AsyncGenerator<TarEntry> {
  const blocks = new BlockReader(stream);
  let extended: Extended = {};
  for (let headers = 0; ; headers++) {
    const block = await blocks.take(BLOCK);
    if (block === undefined || block.every(byte => byte === 0)) return;
    if (headers === MAX_HEADERS) throw bad(`more than ${MAX_HEADERS} entries`);
    const header = parseHeader(block);
    const sizeBytes = extended.sizeBytes ?? header.sizeBytes;
    if (header.type === 'x' || header.type === 'L' || header.type === 'K' || header.type === 'g') {
      const record = await blocks.record(header.sizeBytes);
      if (header.type === 'x') extended = { ...extended, ...parsePax(record) };
      if (header.type === 'L') extended = { ...extended, path: toText(record) };
      continue;
    }
    const path = (extended.path ?? header.path).replace(/^(\.\/)+/, '');
    extended = {};
    if (Buffer.byteLength(path) > MAX_NAME_BYTES) throw bad('a name is too long');
    const contents = blocks.contents(sizeBytes);
    if (header.type === '0') yield { path, sizeBytes, chunks: contents };
    for await (const _ of contents);
  }
}

interface Extended {
  readonly path?: string;
  readonly sizeBytes?: number;
}

/** Takes a stream apart into pieces of known length. */
class BlockReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(stream: AsyncIterable<Uint8Array>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Exactly so many bytes, or undefined at the end of the stream. */
  async take(sizeBytes: number): Promise<Buffer | undefined> {
    const parts: Uint8Array[] = [];
    let missing = sizeBytes;
    while (missing > 0) {
      const part = await this.#some(missing);
      if (part === undefined) {
        if (missing === sizeBytes) return undefined;
        throw bad('it ends within an entry');
      }
      parts.push(part);
      missing -= part.length;
    }
    return Buffer.concat(parts);
  }

  async record(sizeBytes: number): Promise<Buffer> {
    if (sizeBytes > MAX_RECORD_BYTES) throw bad('a name record is too long');
    const record = await this.take(toBlocks(sizeBytes));
    return (record ?? Buffer.alloc(0)).subarray(0, sizeBytes);
  }

  /** The contents of an entry; its padding is read over at the end. Iterating again goes on where it was left. */
  contents(sizeBytes: number): AsyncIterable<Uint8Array> {
    let left = sizeBytes;
    let padding = toBlocks(sizeBytes) - sizeBytes;
    const next = async (): Promise<IteratorResult<Uint8Array, undefined>> => {
      const part = left > 0 ? await this.#some(left) : undefined;
      if (left > 0 && part === undefined) throw bad('it ends within an entry');
      left -= part?.length ?? 0;
      if (part !== undefined) return { done: false, value: part };
      await this.take(padding);
      padding = 0;
      return { done: true, value: undefined };
    };
    return { [Symbol.asyncIterator]: () => ({ next }) };
  }

  async #some(atMost: number): Promise<Uint8Array | undefined> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      this.#rest = next.value;
    }
    const part = this.#rest.subarray(0, atMost);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }
}

function parseHeader(block: Buffer): { path: string; sizeBytes: number; type: string } {
  const sum = block.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 0x20 : byte), 0);
  if (parseNumber(block.subarray(148, 156)) !== sum) throw bad('a header has a wrong checksum: it is no tar');
  const isUstar = block.toString('latin1', 257, 263) === 'ustar\0';
  const prefix = isUstar ? toText(block.subarray(345, 500)) : '';
  const name = toText(block.subarray(0, 100));
  const type = String.fromCharCode(block[156] ?? 0);
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    sizeBytes: ['1', '2', '3', '4', '5', '6'].includes(type) ? 0 : parseNumber(block.subarray(124, 136)),
    // A trailing slash was a directory before there was a type for it.
    type: (type === '\0' || type === '7') && !name.endsWith('/') ? '0' : type,
  };
}

/** Octal, or base 256 where the first bit is set. */
function parseNumber(field: Buffer): number {
  let value = 0;
  if (((field[0] ?? 0) & 0x80) !== 0) {
    for (const [i, byte] of field.entries()) value = value * 256 + (i === 0 ? byte & 0x7f : byte);
  } else {
    const text = toText(field).trim();
    if (!/^[0-7]*$/.test(text)) throw bad('a header holds no number where one must be');
    value = text === '' ? 0 : Number.parseInt(text, 8);
  }
  if (!Number.isSafeInteger(value)) throw bad('a size is beyond all measure');
  return value;
}

/** `<length> <key>=<value>\n`, the length counting itself. */
function parsePax(record: Buffer): Extended {
  let extended: Extended = {};
  for (let at = 0; at < record.length; ) {
    const space = record.indexOf(0x20, at);
    const length = Number(record.toString('latin1', at, space));
    if (space < 0 || !Number.isSafeInteger(length) || length <= space - at + 1 || at + length > record.length)
      throw bad('a PAX record is broken');
    const line = record.toString('utf8', space + 1, at + length - 1);
    const equals = line.indexOf('=');
    const [key, value] = [line.slice(0, equals), line.slice(equals + 1)];
    if (key === 'path') extended = { ...extended, path: value };
    if (key === 'size') {
      const sizeBytes = Number(value);
      if (!/^\d+$/.test(value) || !Number.isSafeInteger(sizeBytes)) throw bad('a PAX size is no number');
      extended = { ...extended, sizeBytes };
    }
    at += length;
  }
  return extended;
}

function toText(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('utf8', 0, end < 0 ? field.length : end);
}

function toBlocks(sizeBytes: number): number {
  return Math.ceil(sizeBytes / BLOCK) * BLOCK;
}

function bad(why: string): ModuleError {
  return new ModuleError('bad-archive', `the archive does not unpack: ${why}`, {
    hint: 'Build and push the module again.',
  });
}
