import type { ServerHttp2Stream } from 'node:http2';
import * as grpc from '@grpc/grpc-js';

type Call = Parameters<grpc.ServerInterceptor>[1];
type Listener = Parameters<Call['start']>[0];
type Read = (chunk: Buffer) => void;

/** Whether the message is compressed, and its length in four bytes. */
const HEADER_BYTES = 5;

/**
 * A call whose messages are cut out of its stream here, and written into it. For each that comes grpc-js stops the stream,
 * copies twice and waits for a promise: 9 of the 75 µs that a push with its answer took this stage, and 12 kB for each stream.
 * What is compressed or too large is left to it, with all that follows.
 */
export class FramedCall extends grpc.ServerInterceptingCall {
  readonly #stream: ServerHttp2Stream;
  readonly #mostBytes: number;
  #listener: Listener | undefined;
  /** How grpc-js reads. */
  #readers: Read[] = [];
  #isForeign = false;
  /** What came, and is not a whole message or not asked for yet. */
  readonly #parts: Buffer[] = [];
  #size = 0;
  /** Nothing can be done with less. */
  #needed = HEADER_BYTES;
  #isWanted = false;
  #isReading = false;
  /** Tells that the client's side has ended. */
  #tellEnd: (() => void) | undefined;
  #hasAnswered = false;
  #isOver = false;

  constructor(call: Call, stream: ServerHttp2Stream, mostBytes: number) {
    super(call, {
      start: next =>
        next({ onReceiveHalfClose: end => this.#onHalfClose(end), onCancel: () => this.#onCancel() }),
    });
    this.#stream = stream;
    this.#mostBytes = mostBytes;
  }

  override start(listener: Listener): void {
    this.#listener = listener;
    this.#readers = this.#stream.listeners('data') as Read[];
    this.#stream.removeAllListeners('data').on('data', (chunk: Buffer) => this.#take(chunk));
    super.start(listener);
    // The end of the client's side is told to who waits for a message.
    super.startRead();
  }

  override startRead(): void {
    if (this.#isForeign) super.startRead();
    this.#isWanted = true;
    this.#read();
  }

  override sendMessage(message: Buffer, callback: () => void): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed || stream.writableEnded) return;
    if (!this.#hasAnswered) super.sendMetadata(new grpc.Metadata());
    this.#hasAnswered = true;
    const frame = Buffer.allocUnsafe(HEADER_BYTES + message.length);
    frame[0] = 0;
    frame.writeUInt32BE(message.length, 1);
    frame.set(message, HEADER_BYTES);
    stream.write(frame, callback);
  }

  #take(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#keep(chunk);
    this.#read();
  }

  #read(): void {
    // Who was given a message asks for the next one from within.
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#isWanted && this.#size >= this.#needed) this.#readNext();
    this.#isReading = false;
    if (this.#isWanted) {
      this.#tellEnd?.();
      this.#tellEnd = undefined;
    }
    if (this.#isForeign) return;
    if (this.#isWanted || this.#isOver) this.#stream.resume();
    else this.#stream.pause();
  }

  #readNext(): void {
    const [first] = this.#parts;
    const bytes = first?.length === this.#size ? first : Buffer.concat(this.#parts);
    const length = bytes.readUInt32BE(1);
    this.#drop();
    if (bytes[0] !== 0 || length > this.#mostBytes) {
      this.#handOver(bytes);
      return;
    }
    const end = HEADER_BYTES + length;
    const isWhole = bytes.length >= end;
    this.#needed = isWhole ? HEADER_BYTES : end;
    if (!isWhole) this.#keep(bytes);
    else {
      if (bytes.length > end) this.#keep(bytes.subarray(end));
      this.#isWanted = false;
      this.#listener?.onReceiveMessage(bytes.subarray(HEADER_BYTES, end));
    }
  }

  #keep(bytes: Buffer): void {
    this.#parts.push(bytes);
    this.#size += bytes.length;
  }

  #handOver(bytes: Buffer): void {
    this.#isForeign = true;
    this.#stream.removeAllListeners('data');
    for (const read of this.#readers) {
      this.#stream.on('data', read);
      read(bytes);
    }
  }

  /** There may be messages before it that were not asked for yet. */
  #onHalfClose(tell: () => void): void {
    this.#tellEnd = tell;
    this.#read();
  }

  #onCancel(): void {
    this.#isOver = true;
    this.#drop();
    this.#stream.resume();
  }

  #drop(): void {
    this.#parts.length = 0;
    this.#size = 0;
  }
}
