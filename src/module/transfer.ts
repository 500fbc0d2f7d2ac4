import { Readable } from 'node:stream';
import type { HttpResponse } from './http-client.ts';

/** How much of what one command sends and receives is done; both grow while it is found out what there is to do. */
export interface Transfer {
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export type OnTransfer = (transfer: Transfer) => void;

/** Small answers and bodies are no part of what somebody waits for. */
const LEAST_BYTES = 64 << 10;
const CHUNK_BYTES = 64 << 10;

/** Counts bodies as they go and come, and tells of each piece. */
export class TransferCount {
  readonly #tell: OnTransfer;
  #doneBytes = 0;
  #totalBytes = 0;

  constructor(tell: OnTransfer) {
    this.#tell = tell;
  }

  /** The same body in pieces, each told of when it is taken; undefined: it is too small to be told of. */
  sent(body: Uint8Array | string | undefined): Readable | undefined {
    if (!(body instanceof Uint8Array) || body.length < LEAST_BYTES) return undefined;
    this.#expect(body.length);
    return Readable.from(this.#cut(body), { objectMode: false });
  }

  /** The same answer, its body told of as it is read. */
  received(response: HttpResponse): HttpResponse {
    const size = Number(response.headers['content-length']);
    if (!(size >= LEAST_BYTES)) return response;
    this.#expect(size);
    return { ...response, body: this.#pass(response.body) };
  }

  #expect(bytes: number): void {
    this.#totalBytes += bytes;
    this.#add(0);
  }

  #add(bytes: number): void {
    this.#doneBytes += bytes;
    this.#tell({ doneBytes: this.#doneBytes, totalBytes: this.#totalBytes });
  }

  *#cut(bytes: Uint8Array): Generator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      const piece = bytes.subarray(at, at + CHUNK_BYTES);
      this.#add(piece.length);
      yield piece;
    }
  }

  async *#pass(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of body) {
      this.#add(piece.length);
      yield piece;
    }
  }
}
