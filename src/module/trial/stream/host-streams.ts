import { bufferReads, MAX_BUFFER } from '../host-buffers.ts';
import type { HostCalls } from '../host-call.ts';
import { readPairs } from '../pairs.ts';
import { Result } from '../trial-protocol.ts';
import type { PassingMessage } from './http-stream.ts';
import type { StreamGuest } from './stream-guest.ts';

const { ok, notFound, badArgument, invalidMemoryAccess } = Result;

const REQUEST_BODY = 0;
const RESPONSE_BODY = 1;
const CALL_BODY = 4;
const CONFIGURATION = 7;
const REQUEST = 0;
const RESPONSE = 1;
const MAX_STREAM = 3;

/** Bodies, local responses, and letting streams go on, while requests pass. */
export function streamCalls(guest: StreamGuest): HostCalls {
  const message = (type: number): PassingMessage | undefined =>
    type === REQUEST_BODY
      ? guest.stream?.request
      : type === RESPONSE_BODY
        ? guest.stream?.response
        : undefined;
  /** Undefined: there is no such buffer now. */
  const find = (type: number): Buffer | undefined => {
    if (type === CALL_BODY) return guest.arrived?.body;
    if (type === CONFIGURATION)
      return guest.hasConfiguration ? Buffer.from(guest.order.configuration) : undefined;
    return message(type)?.buffer ?? Buffer.alloc(0);
  };
  const resume = (type: number): number => {
    const { stream } = guest;
    if (stream === undefined) return ok;
    guest.afterCall(() => {
      const passing = type === REQUEST ? stream.request : stream.response;
      if (passing !== undefined) passing.isResumed = true;
    });
    stream.request.hasHeaders = false;
    stream.request.hasTrailers = false;
    return ok;
  };
  return {
    ...bufferReads(guest, find),
    set_buffer_bytes(type: number, start: number, length: number, at: number, size: number) {
      if (type > MAX_BUFFER) return badArgument;
      if (find(type) === undefined) return notFound;
      const data = guest.memory.read(at, size);
      if (data === undefined) return invalidMemoryAccess;
      const passing = message(type);
      const edited = passing && edit(passing.buffer, start, length, data);
      if (passing === undefined || edited === undefined) return badArgument;
      passing.buffer = edited;
      return ok;
    },

    send_local_response(
      status: number,
      detailsAt: number,
      detailsSize: number,
      bodyAt: number,
      bodySize: number,
      headersAt: number,
      headersSize: number,
    ) {
      const details = guest.text(detailsAt, detailsSize);
      const body = guest.text(bodyAt, bodySize);
      const headers = guest.memory.read(headersAt, headersSize);
      if (details === undefined || body === undefined || headers === undefined) return invalidMemoryAccess;
      const { stream } = guest;
      const response = { status, details, body, headers: readPairs(headers) };
      if (stream !== undefined)
        guest.afterCall(() => {
          stream.local ??= response;
        });
      guest.isStopped = true;
      return ok;
    },
    continue_stream: (type: number) => (type === REQUEST || type === RESPONSE ? resume(type) : badArgument),
    continue_request: () => resume(REQUEST),
    continue_response: () => resume(RESPONSE),
    close_stream(type: number) {
      if (type > MAX_STREAM) return badArgument;
      if (guest.stream !== undefined && (type === REQUEST || type === RESPONSE)) guest.stream.isReset = true;
      return ok;
    },
    set_effective_context: (id: number) => (guest.takeEffect(id) ? ok : badArgument),
    set_tick_period_milliseconds(period: number) {
      guest.tickMs = period;
      guest.nextTickMs = guest.clockMs + period;
      return ok;
    },
    get_status(codeAt: number, addressAt: number, sizeAt: number) {
      const text = Buffer.from(guest.status.text);
      return guest.memory.writeWord(codeAt, guest.status.code)
        ? guest.answer(text, addressAt, sizeAt)
        : invalidMemoryAccess;
    },
  };
}

/** Envoy puts before, in the place of all, or behind; nothing else. */
function edit(buffer: Buffer, start: number, length: number, data: Buffer): Buffer | undefined {
  if (start === 0 && length === 0) return Buffer.concat([data, buffer]);
  if (start === 0) return length >= buffer.length ? data : undefined;
  return start >= buffer.length ? Buffer.concat([buffer, data]) : undefined;
}
