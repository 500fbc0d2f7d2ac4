import type { ServerHttp2Stream } from 'node:http2';
import * as grpc from '@grpc/grpc-js';
import { toSizeText } from '../../model/quantity-text.ts';
import { FramedCall } from '../framed-call.ts';
import { toGrpcStatus } from '../grpc-status.ts';
import { LimitError } from './limit-error.ts';
import type { LimitGuard } from './limit-guard.ts';
import { RequestPace } from './request-pace.ts';
import { toCrowded } from './stream-gate.ts';

/** What a server interceptor is given. */
type Call = ConstructorParameters<typeof grpc.ServerInterceptingCall>[0];

/** Holds every call of a server to the limits. `isDiscovery` tells by the path. */
export function createInterceptor(
  guard: LimitGuard,
  isDiscovery: (path: string) => boolean,
): grpc.ServerInterceptor {
  return (method, call) => guardCall(call, guard, isDiscovery(method.path));
}

/** One call: it waits to be let in, has to ask soon, and is read no faster than its pace. */
function guardCall(call: Call, guard: LimitGuard, isDiscovery: boolean): grpc.ServerInterceptingCall {
  const { limits, steady } = guard;
  const peer = call.getPeer();
  const connection = guard.connectionOf(peer);
  const stream = streamOf(call);
  // A stream that ended does not know its session any more.
  const { session } = stream;
  const pace = new RequestPace(limits);
  let isIn = false;
  let isOver = false;
  let hasAsked = false;
  // There is one timer at a time: for its turn, for its first request, for its next one, or for it to let go.
  let cancelTimer = (): void => {};

  const sendStatus = call.sendStatus.bind(call);
  const end = (error: unknown): void => {
    isOver = true;
    guard.note(error, peer);
    cancelTimer();
    cancelTimer = guard.cutLater(connection);
    sendStatus(toGrpcStatus(error));
  };
  // gRPC finds out itself that a message is too large, before it is read, and has words of its own for it.
  call.sendStatus = status => {
    if (!isAboutSize(status)) sendStatus(status);
    // It says so again for each piece that still comes.
    else if (!isOver) end(toTooLarge(limits['message-size']));
  };
  /** For a timer or a turn: nobody above it would catch what it throws. */
  const orEnd = (job: () => void) => (): void => {
    try {
      job();
    } catch (error) {
      end(error);
    }
  };
  const begin = (proceed: () => void): void => {
    cancelTimer = steady.after(limits['first-request'], () => end(toSilence(limits['first-request'])));
    proceed();
  };
  const takeTurn = (since: number, proceed: () => void): void => {
    if (!isDiscovery || guard.turns.take('stream')) begin(proceed);
    else
      cancelTimer = guard.turns.wait('stream', {
        since,
        begin: orEnd(() => begin(proceed)),
        refuse: () => end(toCrowded()),
      });
  };
  const listener: grpc.ServerListener = {
    onReceiveMetadata(metadata, next) {
      try {
        const waitMs = guard.enter(connection, isDiscovery);
        isIn = true;
        const since = steady.now();
        const proceed = (): void => next(metadata);
        if (waitMs === 0) takeTurn(since, proceed);
        else
          cancelTimer = steady.after(
            waitMs,
            orEnd(() => takeTurn(since, proceed)),
          );
      } catch (error) {
        end(error);
      }
    },
    onReceiveMessage(message: unknown, next) {
      if (isOver) return;
      if (!hasAsked) cancelTimer();
      // Who comes back is not to meet what it left behind: it would be taken for a second Envoy.
      const isHeld = !hasAsked && guard.turns.isHeld('end');
      hasAsked = true;
      try {
        const bytes = Buffer.isBuffer(message) ? message.length : 0;
        const { waitMs, isFirstBehind } = pace.arrive(steady.now(), bytes);
        if (isFirstBehind) guard.hit('requests-per-second', peer, 'it is read more slowly');
        if (!isHeld && waitMs === 0) {
          next(message);
          return;
        }
        // It may be read until we return.
        const kept = Buffer.isBuffer(message) ? Buffer.from(message) : message;
        const goOn = orEnd(() => next(kept));
        cancelTimer = isHeld
          ? guard.turns.wait('stream', { since: steady.now(), begin: goOn, refuse: () => end(toCrowded()) })
          : steady.after(waitMs, goOn);
      } catch (error) {
        end(error);
      }
    },
    onCancel() {
      cancelTimer();
      if (isIn) guard.leave(connection);
      isIn = false;
      guard.callOver(connection, stream, session);
    },
  };
  const framed = isDiscovery ? new FramedCall(call, stream, limits['message-size']) : call;
  return new grpc.ServerInterceptingCall(framed, {
    start: next => next(listener),
    sendMessage: (message, next) => {
      if (!isOver) next(message);
    },
  });
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
