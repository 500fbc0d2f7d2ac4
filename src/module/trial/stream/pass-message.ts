import { awaitResume } from './await-resume.ts';
import type { HttpStream, PassingMessage, Side } from './http-stream.ts';
import type { StreamGuest } from './stream-guest.ts';

/**
 * What callbacks answer; of headers Envoy takes "end the stream" (2) for "continue", and every other stop is a stop of all.
 * https://github.com/proxy-wasm/spec/tree/main/abi-versions/v0.2.1
 */
const CONTINUE = 0;
const STOP = 1;
const HEADERS_END_STREAM = 2;
/** Of a body: what was looked at is dropped, and not held back. */
const STOP_NO_BUFFER = 3;

/** `gone`: all of it went on. `ended`: an answer of the plugin or a reset came in between. */
export type Passed = 'gone' | 'ended' | { readonly stuck: string };

interface Passage {
  readonly guest: StreamGuest;
  readonly stream: HttpStream;
  readonly side: Side;
  readonly message: PassingMessage;
}

/** Takes one side of an exchange through the plugin in the order of Envoy: headers, body, trailers. */
export function passMessage(guest: StreamGuest, stream: HttpStream, side: Side): Passed {
  const message = stream.side(side);
  if (message === undefined) return 'gone';
  const passage = { guest, stream, side, message };
  return passHeaders(passage) ?? passBody(passage) ?? passTrailers(passage) ?? 'gone';
}

/** Undefined: they went on. The same of the other parts. */
function passHeaders(passage: Passage): Passed | undefined {
  const { message } = passage;
  const isEnd = message.parts.length === 0 && !hasTrailers(message);
  message.hasHeaders = true;
  const status = invoke(passage, 'headers', message.headers.pairs.length, Number(isEnd));
  if (isEnded(passage)) return 'ended';
  if (status !== CONTINUE && status !== HEADERS_END_STREAM) {
    const stopped = awaitResume(passage.guest, passage.stream, message, `${passage.side} headers`);
    if (stopped !== undefined) return stopped;
    // What came meanwhile comes in one piece.
    if (message.parts.length > 0) message.parts = [Buffer.concat(message.parts)];
  }
  message.hasHeaders = false;
  return undefined;
}

function passBody(passage: Passage): Passed | undefined {
  const { guest, stream, side, message } = passage;
  let status = CONTINUE;
  for (const [i, part] of message.parts.entries()) {
    message.buffer = Buffer.concat([message.buffer, part]);
    const isEnd = i === message.parts.length - 1 && !hasTrailers(message);
    status = invoke(passage, 'body', message.buffer.length, Number(isEnd));
    if (isEnded(passage)) return 'ended';
    if (status === STOP_NO_BUFFER) message.buffer = Buffer.alloc(0);
    else if (status === CONTINUE || message.isResumed) message.letGo();
    message.isResumed = false;
  }
  if (status === CONTINUE || hasTrailers(message)) return undefined;
  const stopped = awaitResume(guest, stream, message, `${side} body`);
  if (stopped !== undefined) return stopped;
  message.letGo();
  return undefined;
}

/** Trailers that go on take along what was held back of the body. */
function passTrailers(passage: Passage): Passed | undefined {
  const { guest, stream, side, message } = passage;
  if (!hasTrailers(message)) return undefined;
  message.hasTrailers = true;
  const status = invoke(passage, 'trailers', message.trailers.pairs.length);
  if (isEnded(passage)) return 'ended';
  if (status !== CONTINUE) {
    const stopped = awaitResume(guest, stream, message, `${side} trailers`);
    if (stopped !== undefined) return stopped;
  }
  message.hasTrailers = false;
  message.letGo();
  return undefined;
}

function hasTrailers({ before }: PassingMessage): boolean {
  return before.trailers.length > 0;
}

/** Whether it is over for this side. An answer in the middle of the response replaces it. */
function isEnded({ stream, message }: Passage): boolean {
  return stream.isReset || (stream.local !== undefined && stream.localFor !== message);
}

function invoke({ guest, stream, side }: Passage, what: string, ...args: number[]): number {
  const status = guest.invoke(`proxy_on_${side}_${what}`, stream.id, ...args) ?? CONTINUE;
  const isStopped = guest.isStopped;
  guest.settle();
  return isStopped ? STOP : status;
}
