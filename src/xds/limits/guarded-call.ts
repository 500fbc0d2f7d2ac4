import type { ServerHttp2Stream } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { toSizeText } from '../../model/quantity-text.ts';
import { type Call, FramedCall, type Listener } from '../framed-call.ts';
import { toGrpcStatus } from '../grpc-status.ts';
import { LimitError } from './limit-error.ts';
import type { LimitGuard } from './limit-guard.ts';
import { RequestPace } from './request-pace.ts';
import { toCrowded } from './stream-gate.ts';

const NOTHING = (): void => {};

/** Holds every call of a server to the limits. `isDiscovery` tells by the path. */
export function createInterceptor(
  guard: LimitGuard,
  isDiscovery: (path: string) => boolean,
): grpc.ServerInterceptor {
  return (method, call) => new GuardedCall(call, guard, isDiscovery(method.path));
}

/**
 * One call: it waits to be let in, has to ask soon, and is read no faster than its pace. It is its own listener:
 * with an interceptor of grpc-js, and a closure for each thing to wait for, 5,000 streams had 5 MB more.
 */
class GuardedCall extends grpc.ServerInterceptingCall implements Listener {
  readonly #call: Call;
  readonly #guard: LimitGuard;
  readonly #isDiscovery: boolean;
  readonly #peer: string;
  readonly #connection: ReturnType<LimitGuard['connectionOf']>;
  readonly #stream: ServerHttp2Stream;
  readonly #session: ServerHttp2Stream['session'];
  readonly #pace: RequestPace;
  readonly #sendStatus: Call['sendStatus'];
  #listener: Listener | undefined;
  #isIn = false;
  #isOver = false;
  #isCancelled = false;
  #hasAsked = false;
  /** The call or a message waits for its time, and what comes after it with it. */
  #isHeld = true;
  #hasEnded = false;
  /** There is one timer at a time: for its turn, for its first request, for its next one, or for it to let go. */
  #cancelTimer = NOTHING;

  constructor(below: Call, guard: LimitGuard, isDiscovery: boolean) {
    const stream = streamOf(below);
    const call = isDiscovery ? new FramedCall(below, stream, guard.limits['message-size']) : below;
    super(call);
    this.#call = call;
    this.#guard = guard;
    this.#isDiscovery = isDiscovery;
    this.#peer = below.getPeer();
    this.#connection = guard.connectionOf(this.#peer);
    this.#stream = stream;
    // A stream that ended does not know its session any more.
    this.#session = stream.session;
    this.#pace = new RequestPace(guard.limits);
    this.#sendStatus = below.sendStatus.bind(below);
    // gRPC finds out itself that a message is too large, before it is read, and has words of its own for it.
    below.sendStatus = status => {
      if (!isAboutSize(status)) this.#sendStatus(status);
      // It says so again for each piece that still comes.
      else if (!this.#isOver) this.#end(toTooLarge(guard.limits['message-size']));
    };
  }

  override start(listener: Listener): void {
    this.#listener = listener;
    this.#call.start(this);
  }

  override sendMessage(message: Buffer, callback: () => void): void {
    if (!this.#isOver) this.#call.sendMessage(message, callback);
  }

  onReceiveMetadata(metadata: grpc.Metadata): void {
    try {
      const waitMs = this.#guard.enter(this.#connection, this.#isDiscovery);
      this.#isIn = true;
      const { steady } = this.#guard;
      const since = steady.now();
      if (waitMs === 0) this.#takeTurn(since, metadata);
      else this.#cancelTimer = steady.after(waitMs, () => this.#orEnd(() => this.#takeTurn(since, metadata)));
    } catch (error) {
      this.#end(error);
    }
  }

  onReceiveMessage(message: unknown): void {
    if (this.#isOver || this.#isCancelled) return;
    const { turns, steady } = this.#guard;
    if (!this.#hasAsked) this.#cancelTimer();
    // Who comes back is not to meet what it left behind: it would be taken for a second Envoy.
    const isBehind = !this.#hasAsked && turns.isHeld('end');
    this.#hasAsked = true;
    try {
      const bytes = Buffer.isBuffer(message) ? message.length : 0;
      const { waitMs, isFirstBehind } = this.#pace.arrive(steady.now(), bytes);
      if (isFirstBehind) this.#guard.hit('requests-per-second', this.#peer, 'it is read more slowly');
      if (!isBehind && waitMs === 0) {
        this.#listener?.onReceiveMessage(message);
        return;
      }
      // It may be read until we return.
      const kept = Buffer.isBuffer(message) ? Buffer.from(message) : message;
      this.#isHeld = true;
      const goOn = (): void => this.#orEnd(() => this.#release(() => this.#listener?.onReceiveMessage(kept)));
      this.#cancelTimer = isBehind
        ? turns.wait('stream', { since: steady.now(), begin: goOn, refuse: () => this.#end(toCrowded()) })
        : steady.after(waitMs, goOn);
    } catch (error) {
      this.#end(error);
    }
  }

  onReceiveHalfClose(): void {
    this.#hasEnded = true;
    if (!this.#isHeld && !this.#isCancelled) this.#listener?.onReceiveHalfClose();
  }

  onCancel(): void {
    this.#isCancelled = true;
    this.#cancelTimer();
    if (this.#isIn) this.#guard.leave(this.#connection);
    this.#isIn = false;
    this.#guard.callOver(this.#connection, this.#stream, this.#session);
    this.#listener?.onCancel();
  }

  #takeTurn(since: number, metadata: grpc.Metadata): void {
    const { turns } = this.#guard;
    if (!this.#isDiscovery || turns.take('stream')) this.#begin(metadata);
    else
      this.#cancelTimer = turns.wait('stream', {
        since,
        begin: () => this.#orEnd(() => this.#begin(metadata)),
        refuse: () => this.#end(toCrowded()),
      });
  }

  #begin(metadata: grpc.Metadata): void {
    const { limits, steady } = this.#guard;
    const ms = limits['first-request'];
    this.#cancelTimer = steady.after(ms, () => this.#end(toSilence(ms)));
    this.#release(() => this.#listener?.onReceiveMetadata(metadata));
  }

  #release(tell: () => void): void {
    this.#isHeld = false;
    tell();
    if (this.#hasEnded) this.#listener?.onReceiveHalfClose();
  }

  /** For a timer or a turn: nobody above it would catch what it throws. */
  #orEnd(job: () => void): void {
    try {
      job();
    } catch (error) {
      this.#end(error);
    }
  }

  #end(error: unknown): void {
    this.#isOver = true;
    this.#guard.note(error, this.#peer);
    this.#cancelTimer();
    this.#cancelTimer = this.#guard.cutLater(this.#connection);
    this.#sendStatus(toGrpcStatus(error));
  }
}

/**
 * To grpc-js a call is over when its status is on its way. Whether the client let go of it too, only the stream below
 * knows, which grpc-js keeps to itself.
 */
function streamOf(call: Call): ServerHttp2Stream {
  return (call as unknown as { readonly stream: ServerHttp2Stream }).stream;
}

function toSilence(ms: number): LimitError {
  return new LimitError(
    'first-request',
    'first-request-missing',
    `no request came within ${ms / 1000} s`,
    'Send the first request as soon as the stream is open',
  );
}

function isAboutSize({ code, details }: Parameters<Call['sendStatus']>[0]): boolean {
  return code === grpc.status.RESOURCE_EXHAUSTED && details?.startsWith('Received message') === true;
}

function toTooLarge(bytes: number): LimitError {
  const text = `a message has more than ${toSizeText(bytes)}`;
  return new LimitError('message-size', 'message-too-large', text, 'Ask for less at a time');
}
