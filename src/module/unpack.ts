import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { toMessage } from '../model/error.ts';
import { MAX_MODULE_BYTES, moduleTooBig } from './check-module.ts';
import { ModuleError } from './module-error.ts';
import { readTar } from './tar-reader.ts';

/** A module taken out of whatever it was packed in. */
export interface UnpackedModule {
  readonly bytes: Buffer;
  /** `plain`, or the archive path it was found under. */
  readonly found: string;
}

/** Of everything that the archives of one artifact inflate to. */
const MAX_INFLATED_BYTES = 256 << 20;

/** Bytes at a time: a third of the processor time that pieces of the default size take. */
const INFLATING = { chunkSize: 256 << 10 };

/** What may still be inflated; layers of one artifact share one. */
export class InflateBudget {
  readonly #maxBytes: number;
  #leftBytes: number;

  constructor(maxBytes = MAX_INFLATED_BYTES) {
    this.#maxBytes = maxBytes;
    this.#leftBytes = maxBytes;
  }

  /** Throws ModuleError `too-big`. */
  spend(bytes: number): void {
    this.#leftBytes -= bytes;
    if (this.#leftBytes < 0)
      throw new ModuleError('too-big', `the archive inflates to more than ${this.#maxBytes} bytes`, {
        hint: 'Push the module alone, without the rest of the image.',
      });
  }
}

/**
 * The module in a file or layer: plain Wasm, a tar, or either of them compressed once with gzip or zstd, told by the
 * leading bytes. Nothing is written to disk, links are not followed. In a tar it is `plugin.wasm` at the root, else anywhere, else the only `*.wasm`. Undefined: a tar
 * without any. Throws `bad-archive`, `ambiguous-module`, `module-too-big`, `too-big`.
 */
export async function unpackModule(
  stream: AsyncIterable<Uint8Array>,
  budget = new InflateBudget(),
): Promise<UnpackedModule | undefined> {
  const packed = await peek(stream);
  const inflated = await peek(limit(inflate(packed), budget));
  if (isTar(inflated.head)) return findInTar(inflated.chunks);
  return { bytes: await readModule(inflated.chunks), found: 'plain' };
}

interface Peeked {
  /** The first bytes, up to a tar header. */
  readonly head: Buffer;
  /** Everything, the head included. */
  readonly chunks: AsyncIterable<Uint8Array>;
}

async function peek(stream: AsyncIterable<Uint8Array>): Promise<Peeked> {
  const rest = stream[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  let sizeBytes = 0;
  while (sizeBytes < 512) {
    const next = await rest.next();
    if (next.done === true) break;
    first.push(next.value);
    sizeBytes += next.value.length;
  }
  const head = Buffer.concat(first);
  async function* chunks(): AsyncGenerator<Uint8Array> {
    try {
      yield head;
      for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
    } finally {
      await rest.return?.();
    }
  }
  return { head, chunks: chunks() };
}

function inflate({ head, chunks }: Peeked): AsyncIterable<Uint8Array> {
  const magic = head.toString('hex', 0, 4);
  if (magic.startsWith('1f8b')) return transform(chunks, createGunzip(INFLATING));
  if (magic === '28b52ffd') return transform(chunks, createZstdDecompress(INFLATING));
  return chunks;
}

async function* transform(chunks: AsyncIterable<Uint8Array>, decoder: Transform): AsyncGenerator<Uint8Array> {
  // Its error comes out of the decoder, which is read here.
  pipeline(Readable.from(chunks), decoder, () => {});
  try {
    yield* decoder as AsyncIterable<Uint8Array>;
  } catch (cause) {
    if (cause instanceof ModuleError) throw cause;
    throw new ModuleError('bad-archive', `the archive does not unpack: ${toMessage(cause)}`, {
      cause,
      hint: 'Build and push the module again.',
    });
  } finally {
    decoder.destroy();
  }
}

async function* limit(chunks: AsyncIterable<Uint8Array>, budget: InflateBudget): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    budget.spend(chunk.length);
    yield chunk;
  }
}

function isTar(head: Buffer): boolean {
  return head.length >= 512 && head.toString('latin1', 257, 262) === 'ustar';
}

async function findInTar(chunks: AsyncIterable<Uint8Array>): Promise<UnpackedModule | undefined> {
  let best: UnpackedModule | undefined;
  const names: string[] = [];
  for await (const entry of readTar(chunks)) {
    // The mark of a deleted file ends like the file.
    if (!entry.path.endsWith('.wasm') || /(^|\/)\.wh\.[^/]*$/.test(entry.path)) continue;
    if (entry.path.split('/').includes('..')) throw leadsOut(entry.path);
    if (rank(entry.path) > 0) names.push(entry.path);
    // A later entry of the same name replaces an earlier one.
    if (best !== undefined && best.found !== entry.path && rank(best.found) >= rank(entry.path)) continue;
    best = { bytes: await readModule(entry.chunks), found: entry.path };
  }
  if (best === undefined) return undefined;
  const others = [...new Set(names)];
  if (rank(best.found) === 1 && others.length > 1)
    throw new ModuleError(
      'ambiguous-module',
      `the archive holds several modules: ${others.slice(0, 10).join(', ')}`,
      {
        hint: 'Name the right one plugin.wasm and push again.',
      },
    );
  return best;
}

function leadsOut(path: string): ModuleError {
  const shown = JSON.stringify(path.slice(0, 200));
  return new ModuleError('bad-archive', `the archive has an entry that leads out of it: ${shown}`, {
    hint: 'Build and push the module again, with plugin.wasm at the root.',
  });
}

/** plugin.wasm at the root, plugin.wasm, any other. */
function rank(path: string): number {
  if (path === 'plugin.wasm' || path === '/plugin.wasm') return 3;
  return path.endsWith('/plugin.wasm') ? 2 : 1;
}

async function readModule(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const part of chunks) {
    sizeBytes += part.length;
    if (sizeBytes > MAX_MODULE_BYTES) throw moduleTooBig();
    parts.push(part);
  }
  return Buffer.concat(parts);
}
