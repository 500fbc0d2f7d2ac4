import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { toMessage } from '../model/error.ts';
import { createServer } from '../model/http.ts';
import type { Meter } from '../model/meter.ts';
import type { Clock, Log, RandomHex } from '../model/ports.ts';
import { keepCertificatesFresh, type PortTls, toTlsOptions } from '../model/server-tls.ts';
import type { DenialLog } from '../store/denial-log.ts';
import { ApiError } from './api-error.ts';
import { toEarlyDenial } from './audit-request.ts';
import { toProblem } from './error-reply.ts';
import { countRequest, type RequestRoutes } from './metrics/count-requests.ts';
import { checkLoopbackRequest } from './origin-check.ts';

/** Bytes of all headers of a request; Node refuses more. */
const MAX_HEADER_BYTES = 16 * 1024;
/** Bytes of path and query, as sent. */
const MAX_URL_BYTES = 2 * 1024;

export interface HttpServerOptions {
  readonly listen: { readonly tls: PortTls | undefined };
  /** Where no token is asked for, Host and Origin are checked. */
  readonly auth: { readonly asksTokens: boolean };
  /** The built-in registry: gets every request below `/v2` untouched, body and all. */
  readonly registry?: { handle(request: IncomingMessage, response: ServerResponse): Promise<void> };
  readonly meter: Pick<Meter, 'requested'>;
  /** Filled once a request's route is known. */
  readonly routesOf: RequestRoutes;
  readonly denials: Pick<DenialLog, 'record'>;
  readonly clock: Clock;
  readonly random: RandomHex;
  readonly log: Log;
}

/** What comes before any route: whose request it is, how long it is, and whether it is the registry's. */
export function createHttpServer(options: HttpServerOptions, api: RequestListener): Server {
  const { registry, log, random } = options;
  const guarded = !options.auth.asksTokens;
  const take: RequestListener = (request, response) => {
    const url = request.url ?? '/';
    const path = url.split('?')[0] ?? '/';
    const isRegistry = path === '/v2' || path.startsWith('/v2/');
    if (isRegistry) options.routesOf.set(request, '/v2/*');
    countRequest(request, response, options.routesOf, options.meter);
    try {
      if (guarded) checkLoopbackRequest(request.headers);
      if (!isRegistry) checkLength(url);
    } catch (thrown) {
      void refuse(options, request, response, thrown, path);
      return;
    }
    if (registry === undefined || !isRegistry) {
      api(request, response);
      return;
    }
    registry.handle(request, response).catch((thrown: unknown) => {
      log.error({ path, error: toMessage(thrown) }, 'registry request failed');
      if (response.headersSent) response.destroy();
      else sendProblem(response, thrown, path, toRequestId(request, random));
    });
  };
  return open(options.listen.tls, take);
}

async function refuse(
  { denials, clock, random }: HttpServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  thrown: unknown,
  path: string,
): Promise<void> {
  const requestId = toRequestId(request, random);
  const denial = toEarlyDenial(request, toProblem(thrown, { path, requestId }), clock);
  if (denial !== undefined) await denials.record(denial);
  sendProblem(response, thrown, path, requestId);
}

function open(tls: PortTls | undefined, take: RequestListener): Server {
  const limits = { maxHeaderSize: MAX_HEADER_BYTES };
  if (tls === undefined) return createServer(limits, take);
  const server = createTlsServer({ ...toTlsOptions(tls), ...limits }, take);
  return server.once('close', keepCertificatesFresh(server, tls));
}

function checkLength(url: string): void {
  if (url.length > MAX_URL_BYTES)
    throw new ApiError(
      'uri-too-long',
      `the URL has ${url.length} bytes, and at most ${MAX_URL_BYTES} are read`,
      {
        hint: 'A message in the query counts; a shorter one will do.',
      },
    );
}

/** A caller's own request id, where it can stand in a log line; else a new one. */
export function toRequestId({ headers }: Pick<IncomingMessage, 'headers'>, random: RandomHex): string {
  const own = headers['x-request-id'];
  return typeof own === 'string' && /^[\w.-]{1,64}$/.test(own) ? own : random(8);
}

/** A problem where there is no route, and so no reply of the framework. */
export function sendProblem(
  response: ServerResponse,
  thrown: unknown,
  path: string,
  requestId: string,
): void {
  const problem = toProblem(thrown, { path: path.slice(0, MAX_URL_BYTES), requestId });
  response.writeHead(problem.status, {
    'content-type': 'application/problem+json',
    'x-request-id': requestId,
    connection: 'close',
  });
  response.end(JSON.stringify(problem));
}

/** What is not even HTTP, or has too long headers, gets its problem by hand: there is no response object. */
export function refuseUnreadable(thrown: Error, socket: Duplex, requestId: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const problem = toProblem(toUnreadable(thrown), { path: '', requestId });
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${problem.status} ${problem.title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** https://nodejs.org/api/http.html#event-clienterror */
function toUnreadable(thrown: Error & { readonly code?: string }): ApiError {
  switch (thrown.code) {
    case 'HPE_HEADER_OVERFLOW':
      return new ApiError('headers-too-large', `the headers have more than ${MAX_HEADER_BYTES} bytes`);
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new ApiError('request-timeout', 'the request did not come in time');
    default:
      return new ApiError('bad-request', `the request cannot be read: ${thrown.message}`);
  }
}
