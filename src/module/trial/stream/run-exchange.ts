import type { HttpMessage, RunStep } from '../../../model/plugin-run.ts';
import { deliverCall } from './await-resume.ts';
import { HttpStream, type LocalResponse, PassingMessage } from './http-stream.ts';
import { passMessage } from './pass-message.ts';
import { ROOT_CONTEXT, type StreamGuest } from './stream-guest.ts';
import type { ToldExchange } from './stream-protocol.ts';

/** Takes one request and its response through the plugin. Throws PluginTrapped where it does not survive that. */
export function runExchange(guest: StreamGuest, id: number, step: RunStep): ToldExchange {
  const stream = new HttpStream(id, step);
  const atMs = guest.clockMs;
  guest.streams.set(id, stream);
  guest.invoke('proxy_on_context_create', id, ROOT_CONTEXT);
  guest.settle();
  const passed = passBoth(guest, stream);
  stream.isLogged = true;
  guest.invoke('proxy_on_log', id);
  guest.settle();
  stream.isLogged = false;
  guest.invoke('proxy_on_done', id);
  guest.settle();
  guest.invoke('proxy_on_delete', id);
  guest.settle();
  guest.streams.delete(id);
  // Of a call that nobody waits for the answer comes after the request.
  while (deliverCall(guest));
  return tell(stream, atMs, passed);
}

interface Outcome {
  readonly isForwarded: boolean;
  readonly stuck?: string;
}

function passBoth(guest: StreamGuest, stream: HttpStream): Outcome {
  const request = passMessage(guest, stream, 'request');
  if (typeof request === 'object') return { isForwarded: false, ...request };
  const isForwarded = request === 'gone';
  if (stream.isReset) return { isForwarded };
  if (!isForwarded && stream.local !== undefined) {
    // An answer to the request passes the plugin as a response does.
    stream.response = new PassingMessage(toMessage(stream.local));
    stream.localFor = stream.response;
  } else stream.response = new PassingMessage(stream.step.response);
  const response = passMessage(guest, stream, 'response');
  if (typeof response === 'object') return { isForwarded, ...response };
  if (response === 'ended' && stream.local !== undefined && !stream.isReset) {
    // One in the middle of a response goes straight to the client.
    const direct = new PassingMessage(toMessage(stream.local));
    for (const part of direct.parts) direct.gone = part;
    stream.response = direct;
  }
  return { isForwarded };
}

/** As Envoy writes it. */
function toMessage({ status, body, headers }: LocalResponse): HttpMessage {
  const names = headers.map(([name]) => name.toLowerCase());
  const type = names.includes('content-type') ? [] : [['content-type', 'text/plain'] as const];
  const own = body === '' ? [] : [['content-length', String(Buffer.byteLength(body))] as const, ...type];
  return {
    headers: [[':status', String(status)], ...headers, ...own],
    body: body === '' ? [] : [body],
    trailers: [],
  };
}

function tell(stream: HttpStream, atMs: number, { isForwarded, stuck }: Outcome): ToldExchange {
  const { step, request, response, local, calls, unknownProperties, isReset } = stream;
  const isAnswered = response !== undefined && stuck === undefined && !isReset;
  return {
    name: step.name,
    atMs,
    request: { before: request.before, after: request.after },
    isForwarded,
    ...(isAnswered ? { response: { before: response.before, after: response.after } } : {}),
    ...(local === undefined ? {} : { local: { status: local.status, details: local.details } }),
    calls,
    unknownProperties: [...unknownProperties],
    ...(stuck === undefined ? {} : { stuck }),
    ...(isReset ? { isReset } : {}),
  };
}
