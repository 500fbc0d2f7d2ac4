import {
  constants,
  createServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import { type DiscoveryMethod, methodOf } from '../../src/xds/discovery-services.ts';
import { HEADER_BYTES } from '../../src/xds/grpc-frame.ts';
import { toGrpcStatus } from '../../src/xds/grpc-status.ts';
import { LimitError } from '../../src/xds/limits/limit-error.ts';
import { type Http2Side, openPort } from '../../src/xds/limits/open-port.ts';
import type { TransportOptions, XdsTransport } from '../../src/xds/transport.ts';

/*
 * The xDS port over node:http2, without grpc-js, for the bench alone: what a transport of our own would give with the real
 * logic behind it. It speaks gRPC as far as Envoys need it, and has the discovery services only: no metrics, status, health
 * or reflection, no compressed requests, no waiting for a turn, no pace of requests.
 */

const OK = 0;
const UNIMPLEMENTED = 12;
const STOPPING = { code: OK, details: '' };
const GRACE_MS = 1000;

export const startOwnTransport: XdsTransport = async options => {
  const { listen, guard, patience, log } = options;
  const sessions = new Set<Http2Session>();
  const calls = new Set<Call>();
  const server = createServer({
    settings: { maxConcurrentStreams: 2 * guard.limits['streams-per-connection'] },
    // As grpc-js has it: what one peer may hold is bounded by one response of a type at a time.
    maxSessionMemory: Number.MAX_SAFE_INTEGER,
  });
  server.on('session', session => {
    sessions.add(session);
    const stopPings = keepAlive(session, patience.pingEveryMs, patience.pingAnswerMs);
    session.on('error', () => {});
    session.once('close', () => {
      stopPings();
      sessions.delete(session);
    });
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const call = new Call(stream, options);
    calls.add(call);
    stream.once('close', () => calls.delete(call));
    call.open(headers);
  });
  const stopChecks = options.gate.onChange(() => {
    for (const call of calls) call.check();
  });
  const side: Http2Side = {
    take: socket => server.emit('connection', socket as Socket),
    // Who does not let go in time is cut by the port.
    drain() {
      for (const session of sessions) session.close();
    },
    destroy() {},
  };
  const open = await openPort(side, listen, guard, log);
  return {
    address: { host: listen.host, port: open.port },
    async stop() {
      stopChecks();
      for (const call of calls) call.end(STOPPING);
      await open.close(GRACE_MS);
    },
  };
};

function keepAlive(session: Http2Session, everyMs: number, answerMs: number): () => void {
  let silence: NodeJS.Timeout | undefined;
  const timer = setInterval(() => {
    if (silence !== undefined || session.destroyed) return;
    silence = setTimeout(() => session.destroy(), answerMs);
    session.ping(() => {
      clearTimeout(silence);
      silence = undefined;
    });
  }, everyMs);
  return () => {
    clearInterval(timer);
    clearTimeout(silence);
  };
}

/** One call: requests out of frames, responses into them, a status as trailers. */
class Call {
  readonly #stream: ServerHttp2Stream;
  readonly #options: TransportOptions;
  readonly #peer: string;
  readonly #connection: Socket | undefined;
  #discovery: ReturnType<TransportOptions['ads']['open']> | undefined;
  #status: { readonly code: number; readonly details: string } | undefined;
  #isCounted = false;
  /** The beginning of a message whose end has not come. */
  #rest: Buffer | undefined;

  constructor(stream: ServerHttp2Stream, options: TransportOptions) {
    this.#stream = stream;
    this.#options = options;
    const { remoteAddress, remotePort } = stream.session?.socket ?? {};
    this.#peer = `${remoteAddress}:${remotePort}`;
    this.#connection = options.guard.connectionOf(this.#peer);
  }

  open(headers: IncomingHttpHeaders): void {
    const stream = this.#stream;
    stream.on('error', () => {});
    stream.once('close', () => this.#leave());
    stream.once('wantTrailers', () => {
      const { code, details } = this.#status ?? STOPPING;
      stream.sendTrailers({ 'grpc-status': code, 'grpc-message': encodeURI(details) });
    });
    stream.respond(
      { [constants.HTTP2_HEADER_STATUS]: 200, 'content-type': 'application/grpc' },
      { waitForTrailers: true },
    );
    const method = methodOf(String(headers[constants.HTTP2_HEADER_PATH]));
    stream.on('data', (chunk: Buffer) => this.#guarded(() => this.#read(chunk)));
    stream.once('end', () => this.end(STOPPING));
    if (method === undefined) this.end({ code: UNIMPLEMENTED, details: 'no such method' });
    else this.#guarded(() => this.#enter(method, headers.authorization));
  }

  check(): void {
    this.#guarded(() => this.#discovery?.check());
  }

  end(status: { readonly code: number; readonly details: string }): void {
    if (this.#status !== undefined) return;
    this.#status = status;
    this.#leave();
    this.#stream.end();
  }

  #enter(method: DiscoveryMethod, authorization: string | undefined): void {
    const { ads, gate, guard } = this.#options;
    guard.enter(this.#connection, true);
    this.#isCounted = true;
    const right = gate.enter({ certificate: undefined, authorization });
    this.#discovery = ads.open({ ...method, peer: this.#peer, right }, frame => this.#write(frame));
  }

  #write(frame: Buffer): void {
    const stream = this.#stream;
    if (!stream.destroyed && !stream.writableEnded) stream.write(frame);
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    while (bytes.length >= HEADER_BYTES) {
      const length = bytes.readUInt32BE(1);
      if (length > this.#options.guard.limits['message-size'])
        throw new LimitError('message-size', 'message-too-large', 'a message is too large', 'Ask for less');
      if (bytes.length < HEADER_BYTES + length) break;
      this.#discovery?.onMessage(bytes.subarray(HEADER_BYTES, HEADER_BYTES + length));
      bytes = bytes.subarray(HEADER_BYTES + length);
    }
    this.#rest = bytes.length === 0 ? undefined : bytes;
  }

  #guarded(work: () => void): void {
    if (this.#status !== undefined) return;
    try {
      work();
    } catch (error) {
      this.#options.guard.note(error, this.#peer);
      this.#options.gate.note(error);
      this.end(toGrpcStatus(error));
    }
  }

  #leave(): void {
    this.#discovery?.close();
    this.#discovery = undefined;
    if (this.#isCounted) this.#options.guard.leave(this.#connection);
    this.#isCounted = false;
  }
}
