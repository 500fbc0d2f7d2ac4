import { CONFIG_SCHEMA_SECTION } from '../model/config-schema.ts';
import type { BlobCache, OpenBlob } from './blob-cache.ts';
import { ModuleError } from './module-error.ts';
import { WasmBudget, WasmReader } from './wasm-reader.ts';

const PREAMBLE_BYTES = 8;
/** Of the start of a section as much as tells its id, its length, and the name of the custom section that we read. */
const HEAD_BYTES = 64;
const WINDOW_BYTES = 64 << 10;
const [CUSTOM, CODE, DATA] = [0, 10, 11];

/**
 * A module without its code, its data and the custom sections of others: all that the checks read of it, mostly some
 * kilobytes of many megabytes. A module that is cut off or damaged stays so, but its errors name other places.
 * Undefined: the cache has it not, or not sound. Throws ModuleError `broken-wasm` where it has too many sections.
 */
export async function readOutline(cache: BlobCache, sha256: string): Promise<Uint8Array | undefined> {
  const blob = await cache.open(sha256);
  if (blob === undefined) return undefined;
  try {
    return Buffer.concat(await readParts(new Window(blob), blob.sizeBytes));
  } finally {
    await blob.file.close();
  }
}

async function readParts(window: Window, sizeBytes: number): Promise<readonly Buffer[]> {
  const parts = [await window.read(0, PREAMBLE_BYTES)];
  const budget = new WasmBudget();
  for (let position = PREAMBLE_BYTES; position < sizeBytes; ) {
    budget.take(1);
    const head = await window.read(position, HEAD_BYTES);
    const section = readHead(head);
    const end = position + (section?.sizeBytes ?? Number.POSITIVE_INFINITY);
    // Damaged here: its start alone makes every reader stop at it.
    if (section === undefined || end > sizeBytes) return [...parts, head];
    if (section.isRead) parts.push(await window.read(position, section.sizeBytes));
    position = end;
  }
  return parts;
}

/** Undefined: it is none. */
function readHead(head: Buffer): { readonly sizeBytes: number; readonly isRead: boolean } | undefined {
  try {
    const reader = new WasmReader(head);
    const id = reader.byte();
    const contentBytes = reader.unsigned();
    const sizeBytes = reader.position + contentBytes;
    const isRead = id === CUSTOM ? isOurs(new WasmReader(head, reader.position)) : id !== CODE && id !== DATA;
    return { sizeBytes, isRead };
  } catch (error) {
    if (error instanceof ModuleError) return undefined;
    throw error;
  }
}

/** A name that does not fit is a longer one, or damaged: both are no concern of ours. */
function isOurs(reader: WasmReader): boolean {
  try {
    return reader.name() === CONFIG_SCHEMA_SECTION;
  } catch {
    return false;
  }
}

/** A file in pieces that are big enough for many small reads. */
class Window {
  readonly #blob: OpenBlob;
  #start = 0;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(blob: OpenBlob) {
    this.#blob = blob;
  }

  /** Fewer than `length` at the end of the file. Never changes afterwards. */
  async read(position: number, length: number): Promise<Buffer> {
    const end = Math.min(position + length, this.#blob.sizeBytes);
    if (position < this.#start || end > this.#start + this.#bytes.length)
      await this.#load(position, Math.max(end - position, WINDOW_BYTES));
    return this.#bytes.subarray(position - this.#start, end - this.#start);
  }

  async #load(start: number, length: number): Promise<void> {
    const bytes = Buffer.allocUnsafeSlow(Math.min(length, this.#blob.sizeBytes - start));
    for (let at = 0; at < bytes.length; ) {
      const { bytesRead } = await this.#blob.file.read(bytes, at, bytes.length - at, start + at);
      if (bytesRead === 0)
        throw new ModuleError('cache-failed', 'a module in the data directory became shorter', {
          hint: 'Leave the modules directory to Attaché alone. It is tried again.',
        });
      at += bytesRead;
    }
    this.#start = start;
    this.#bytes = bytes;
  }
}
