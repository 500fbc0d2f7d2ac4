import type { ServerHttp2Stream } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { HEADER_BYTES } from './grpc-frame.ts';

/** What a server interceptor is given. */
export type Call = grpc.ServerInterceptingCallInterface;
/** What a call tells of what comes. */
export type Listener = Parameters<Call['start']>[0];

/**
 * A call whose messages are cut out of its stream here, and which writes frames into it as they are. For each message that comes
 * grpc-js stops the stream, copies twice and waits for a promise: 9 of the 75 µs that a push with its answer took this stage, and
 * 12 kB for each stream. Frames that were made where the message is encoded save a copy of each: 16 MB with 5,000 streams.
 * What is compressed or too large is left to grpc-js, with all that follows. A message may be read until onReceiveMessage returns;
 * who keeps one copies it.
 */
export class FramedCall extends grpc.ServerInterceptingCall implements Listener {
  readonly #call: Call;
  readonly #stream: ServerHttp2Stream;
  readonly #mostBytes: number;
  #listener: Listener | undefined;
  #isForeign = false;
  /** What came, and is not a whole message or not asked for yet. */
  readonly #parts: Buffer[] = [];
  #size = 0;
  /** Nothing can be done with less. */
  #needed = HEADER_BYTES;
  #isWanted = false;
  #isReading = false;
  /** Nothing comes until it is asked for. */
  #isStopped = false;
  /** The client's side has ended, and nobody was told. */
  #mayEnd = false;
  #hasAnswered = false;
  #isOver = false;

  constructor(call: Call, stream: ServerHttp2Stream, mostBytes: number) {
    super(call);
    this.#call = call;
    this.#stream = stream;
    this.#mostBytes = mostBytes;
  }

  override start(listener: Listener): void {
    this.#listener = listener;
    const stream = this.#stream;
    for (const chunk of readEarly(stream)) this.#keep(chunk);
    const { push } = stream;
    // Node pushes into the stream what comes. Without the queue there, its event and its tick, and with one workspace, a push
    // whose answers repeat a node of 60 kB takes a quarter to a third less CPU, one with answers of 80 bytes some percent.
    stream.push = chunk => (chunk === null ? push.call(stream, null) : this.#take(chunk as Buffer));
    this.#call.start(this);
    // The end of the client's side is told to who waits for a message.
    super.startRead();
  }

  override startRead(): void {
    if (this.#isForeign) super.startRead();
    this.#isWanted = true;
    this.#read();
  }

  override sendMessage(frame: Buffer, callback: () => void): void {
    const stream = this.#stream;
    if (stream.destroyed || stream.closed || stream.writableEnded) return;
    if (!this.#hasAnswered) super.sendMetadata(new grpc.Metadata());
    this.#hasAnswered = true;
    stream.write(frame, callback);
  }

  onReceiveMetadata(metadata: grpc.Metadata): void {
    this.#listener?.onReceiveMetadata(metadata);
  }

  /** One that is left to grpc-js. */
  onReceiveMessage(message: unknown): void {
    if (!this.#isOver) this.#listener?.onReceiveMessage(message);
  }

  /** There may be messages before it that were not asked for yet. */
  onReceiveHalfClose(): void {
    if (this.#isOver) return;
    this.#mayEnd = true;
    this.#read();
  }

  onCancel(): void {
    this.#isOver = true;
    this.#drop();
    this.#goOn();
    this.#listener?.onCancel();
  }

  /** Answers whether more may come. */
  #take(chunk: Buffer): boolean {
    if (!this.#isOver) {
      this.#keep(chunk);
      this.#read();
    }
    this.#isStopped = !this.#mayCome();
    return !this.#isStopped;
  }

  #mayCome(): boolean {
    return this.#isWanted || this.#isOver || this.#isForeign;
  }

  #read(): void {
    // Who was given a message asks for the next one from within.
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#isWanted && this.#size >= this.#needed) this.#readNext();
    this.#isReading = false;
    if (this.#isWanted && this.#mayEnd) {
      this.#mayEnd = false;
      this.#listener?.onReceiveHalfClose();
    }
    this.#goOn();
  }

  #goOn(): void {
    if (!this.#isStopped || !this.#mayCome()) return;
    this.#isStopped = false;
    this.#stream._read(0);
  }

  #readNext(): void {
    const bytes = join(this.#parts, this.#size);
    const length = bytes.readUInt32BE(1);
    this.#drop();
    if (bytes[0] !== 0 || length > this.#mostBytes) {
      this.#handOver(bytes);
      return;
    }
    const end = HEADER_BYTES + length;
    const isWhole = bytes.length >= end;
    this.#needed = isWhole ? HEADER_BYTES : end;
    if (!isWhole) this.#keep(own(bytes));
    else {
      if (bytes.length > end) this.#keep(own(bytes.subarray(end)));
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
    Reflect.deleteProperty(this.#stream, 'push');
    this.#stream.push(own(bytes));
  }

  #drop(): void {
    this.#parts.length = 0;
    this.#size = 0;
  }
}

/** What came before the call was told of, out of the sight of who listens. */
function readEarly(stream: ServerHttp2Stream): readonly Buffer[] {
  const listeners = stream.listeners('data') as ((chunk: Buffer) => void)[];
  stream.removeAllListeners('data');
  const chunks: Buffer[] = [];
  for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) chunks.push(chunk);
  for (const listener of listeners) stream.on('data', listener);
  return chunks;
}

/** Where messages are put together that came in pieces. */
let workspace = Buffer.alloc(0);

/** Valid until the next call. */
function join(parts: readonly Buffer[], size: number): Buffer {
  const [first] = parts;
  if (first?.length === size) return first;
  if (workspace.length < size) workspace = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const part of parts) {
    workspace.set(part, at);
    at += part.length;
  }
  return workspace.subarray(0, size);
}

/** Bytes that outlast the next message. */
function own(bytes: Buffer): Buffer {
  return bytes.buffer === workspace.buffer ? Buffer.from(bytes) : bytes;
}
