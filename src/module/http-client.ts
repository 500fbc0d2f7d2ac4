import { isIP } from 'node:net';
import { getCACertificates } from 'node:tls';
import type { Dispatcher } from 'undici';
import { isPrivateAddress } from '../model/address-policy.ts';
import { toMessage } from '../model/error.ts';
import { makePublicLookup } from '../model/public-lookup.ts';
import { addressRefused } from './address-refused.ts';
import { ModuleError } from './module-error.ts';
import { followRedirect, MAX_REDIRECTS } from './redirect-policy.ts';
import { type OnTransfer, TransferCount } from './transfer.ts';
import { Agent } from './undici-agent.ts';

/** Limits in ms. `total` bounds one request with its redirects, its whole body included. */
export interface TimeLimits {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly stallMs: number;
  readonly totalMs: number;
  /** Until a manifest is there, whatever was asked for it: tokens and mirrors too. Below what an `apply` waits. */
  readonly answerMs: number;
  /** Until a mirror begins to answer. */
  readonly mirrorMs: number;
}

export const TIME_LIMITS: TimeLimits = {
  connectMs: 10_000,
  firstByteMs: 30_000,
  stallMs: 30_000,
  totalMs: 300_000,
  answerMs: 45_000,
  mirrorMs: 10_000,
};

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  /** Which URLs may be asked for, redirects included; throws ModuleError. */
  readonly check: (url: URL) => void;
  /** Whether this URL's host may have a private address. */
  readonly mayBePrivate: (url: URL) => boolean;
  /** PEM certificates that are trusted for this URL's host besides those of the system; default: none. */
  readonly caOf?: (url: URL) => string | undefined;
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** After redirects. */
  readonly url: URL;
  /** Throws ModuleError `registry-unreachable` when it ends early. Read it, or call drop. */
  readonly body: AsyncIterable<Uint8Array>;
  drop(): void;
}

export interface HttpClient {
  /** Any status is an answer. Throws ModuleError: `registry-unreachable`, `address-refused`, `redirect-refused`. */
  send(request: HttpRequest): Promise<HttpResponse>;
  close(): Promise<void>;
}

/**
 * HTTP with redirects by hand, every step limited in time, and addresses checked where the connection is made: the
 * address that was looked at is the one that is used (no second look-up in between). `onTransfer` is told of large
 * bodies as they go and come.
 */
export function createHttpClient(limits: TimeLimits = TIME_LIMITS, onTransfer?: OnTransfer): HttpClient {
  const agents = createAgents(limits);
  const count = onTransfer === undefined ? undefined : new TransferCount(onTransfer);
  const dispatch = (request: HttpRequest, url: URL, headers: Record<string, string>, signal: AbortSignal) => {
    request.check(url);
    const mayBePrivate = request.mayBePrivate(url);
    const literal = url.hostname.replace(/^\[|\]$/g, '');
    // A literal address is connected to without a look-up.
    if (!mayBePrivate && isIP(literal) !== 0 && isPrivateAddress(literal))
      throw addressRefused(url.host, url.host);
    const counted = count?.sent(request.body);
    return agents.of({ mayBePrivate, ca: request.caOf?.(url) }).request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: request.method,
      headers: counted === undefined ? headers : { ...headers, 'content-length': toLength(request.body) },
      body: counted ?? request.body ?? null,
      signal,
    });
  };
  return {
    async send(request) {
      const signal = AbortSignal.any([request.signal, AbortSignal.timeout(limits.totalMs)]);
      let url = request.url;
      let headers: Record<string, string> = {
        'user-agent': 'attache',
        'accept-encoding': 'identity',
        ...request.headers,
      };
      for (let redirects = 0; ; redirects++) {
        const response = await guardErrors(url, request.signal, () =>
          dispatch(request, url, headers, signal),
        );
        const next = isRedirect(request.method, response) ? String(response.headers.location ?? '') : '';
        if (next === '') {
          const answer = toResponse(response, url, request.signal);
          return request.method === 'GET' && count !== undefined ? count.received(answer) : answer;
        }
        drop(response);
        if (redirects === MAX_REDIRECTS)
          throw new ModuleError(
            'redirect-refused',
            `${request.url.href}: more than ${MAX_REDIRECTS} redirects`,
            {
              hint: 'Name the address that it leads to in the end.',
            },
          );
        ({ url, headers } = followRedirect(url, next, headers));
      }
    },
    async close() {
      await agents.close();
    },
  };
}

function toLength(body: HttpRequest['body']): string {
  return String(body?.length ?? 0);
}

interface Trust {
  readonly mayBePrivate: boolean;
  readonly ca: string | undefined;
}

/** Connections are shared among those alone that trust the same. */
function createAgents(limits: TimeLimits) {
  const options = { headersTimeout: limits.firstByteMs, bodyTimeout: limits.stallMs, connections: 8 };
  const agents = new Map<string, Agent>();
  const make = ({ mayBePrivate, ca }: Trust) =>
    new Agent({
      ...options,
      connect: {
        timeout: limits.connectMs,
        ...(mayBePrivate ? {} : { lookup: makePublicLookup(addressRefused) }),
        ...(ca === undefined ? {} : { ca: [...getCACertificates('default'), ca] }),
      },
    });
  return {
    of(trust: Trust): Agent {
      const key = `${trust.mayBePrivate} ${trust.ca ?? ''}`;
      const agent = agents.get(key) ?? make(trust);
      agents.set(key, agent);
      return agent;
    },
    async close() {
      await Promise.all([...agents.values()].map(agent => agent.destroy()));
    },
  };
}

function isRedirect(method: string, response: Dispatcher.ResponseData): boolean {
  const redirects = [301, 302, 303, 307, 308];
  return (method === 'GET' || method === 'HEAD') && redirects.includes(response.statusCode);
}

function toResponse(response: Dispatcher.ResponseData, url: URL, signal: AbortSignal): HttpResponse {
  return {
    status: response.statusCode,
    headers: response.headers,
    url,
    body: readChunks(response.body, url, signal),
    drop: () => drop(response),
  };
}

async function* readChunks(
  body: AsyncIterable<Uint8Array>,
  url: URL,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await guardErrors(url, signal, () => chunks.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    await chunks.return?.();
  }
}

/** An unread body would hold the connection; its end as an error interests nobody. */
function drop(response: Dispatcher.ResponseData): void {
  response.body.on('error', () => {});
  response.body.destroy();
}

/** Wraps a network fault once, where it enters. A stop of our own is passed on as it is. */
async function guardErrors<T>(url: URL, signal: AbortSignal, job: () => Promise<T>): Promise<T> {
  try {
    return await job();
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    const known = findModuleError(cause);
    if (known !== undefined) throw known;
    throw new ModuleError('registry-unreachable', `${url.host} cannot be reached: ${describe(cause)}`, {
      cause,
      hint: toHint(cause, url),
    });
  }
}

/** Undici wraps what our look-up throws. */
function findModuleError(error: unknown): ModuleError | undefined {
  for (let e = error; e instanceof Error; e = e.cause) if (e instanceof ModuleError) return e;
  return undefined;
}

/** In place of a client's own words. */
const TIMEOUTS: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'it takes no connection',
  UND_ERR_HEADERS_TIMEOUT: 'it takes the connection and does not answer',
  UND_ERR_BODY_TIMEOUT: 'its answer stopped in the middle',
};

function describe(error: unknown): string {
  const timeout = error instanceof Error && 'code' in error ? TIMEOUTS[String(error.code)] : undefined;
  if (timeout !== undefined) return timeout;
  if (error instanceof Error && error.name === 'TimeoutError') return 'the time limit passed';
  const errors = error instanceof AggregateError ? error.errors : [error];
  const text = errors.map(toMessage).find(message => message !== '');
  return text ?? 'no connection';
}

function toHint(error: unknown, { host }: URL): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG' ||
    code === 'EPROTO'
  )
    return `It seems to speak plain HTTP. If that is meant, start the server with --insecure-registry ${host}.`;
  if (/CERT|SIGNATURE|SELF_SIGNED|ALTNAME/.test(code))
    return `The certificate of ${host} is not trusted. Give the server its CA: ca: FILE in the setting registries.`;
  return `Check the host and port in the URL, and that ${host} is up. It is tried again.`;
}
