import type { Problem } from '../api/schema/problem.ts';
import { AttacheError, toMessage } from '../model/error.ts';
import { CliError } from './cli-error.ts';
import type { Connection } from './connection.ts';
import { EventStreamParser, type ServerSentEvent } from './event-stream.ts';

const TOO_MANY_REQUESTS = 429;
const PRECONDITION_REQUIRED = 428;
const NOT_FOUND = 404;
const JSON_TYPE = 'application/json';
const MERGE_PATCH = 'application/merge-patch+json';

/** What the server answered instead of 2xx; `code` is the server's own. */
export class RestError extends AttacheError {
  readonly status: number;

  constructor(problem: Pick<Problem, 'status' | 'detail' | 'code' | 'hint' | 'errors'>) {
    super(problem.code, problem.detail, {
      faults: problem.errors.map(({ pointer, message, hint }) =>
        hint === undefined ? { pointer, message } : { pointer, message, hint },
      ),
      ...(problem.hint === undefined ? {} : { hint: problem.hint }),
    });
    this.status = problem.status;
  }
}

/**
 * The REST API as typed answers. Throws RestError for a problem, CliError `unreachable` where nobody answers and
 * `bad-answer` where somebody else does.
 */
export class RestClient {
  readonly server: string;
  readonly #token: string | undefined;
  readonly #timeoutMs: number;
  readonly #fetch: Promise<typeof fetch>;

  /** `timeoutMs`: for a whole answer; a stream may last. */
  constructor({ server, token, ca }: Connection, timeoutMs = 60_000) {
    this.server = server;
    this.#token = token;
    this.#timeoutMs = timeoutMs;
    this.#fetch = ca === undefined ? Promise.resolve(fetch) : toTrusting(ca);
  }

  get<T>(path: string): Promise<T> {
    return this.#call<T>('GET', path);
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.#call<T>('PUT', path, body);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.#call<T>('POST', path, body);
  }

  patch<T>(path: string, body: unknown): Promise<T> {
    return this.#call<T>('PATCH', path, body);
  }

  delete<T>(path: string): Promise<T> {
    return this.#call<T>('DELETE', path);
  }

  /**
   * Server-sent events, from the one after `lastId` where one is given, until the server or `signal` ends it. A
   * connection that breaks ends it with CliError `unreachable`; what to do then is the caller's.
   */
  async *events(path: string, lastId: string, signal: AbortSignal): AsyncGenerator<ServerSentEvent> {
    const headers: Record<string, string> = { accept: 'text/event-stream' };
    if (lastId !== '') headers['last-event-id'] = lastId;
    const response = await this.#send('GET', path, { headers, signal });
    if (!response.ok || response.body === null) throw this.#toError(path, response, await response.text());
    const parser = new EventStreamParser(lastId);
    try {
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) yield* parser.push(text);
    } catch (cause) {
      throw this.#toUnreachable(cause);
    }
  }

  /**
   * What is at a path, as bytes, for as long as they come. A connection that breaks ends them with CliError
   * `unreachable`; that all came is for who reads them to find out.
   */
  async *download(path: string): AsyncGenerator<Uint8Array, void, void> {
    const signal = new AbortController().signal;
    const response = await this.#send('GET', path, { headers: {}, signal });
    if (!response.ok || response.body === null) throw this.#toError(path, response, await response.text());
    try {
      yield* response.body;
    } catch (cause) {
      throw this.#toUnreachable(cause);
    }
  }

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const ask = (conditions: Readonly<Record<string, string>>): Promise<Response> =>
      this.#send(method, path, {
        headers: {
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': method === 'PATCH' ? MERGE_PATCH : JSON_TYPE }),
          ...conditions,
        },
        signal: AbortSignal.timeout(this.#timeoutMs),
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    const first = await ask({});
    const response =
      first.status === PRECONDITION_REQUIRED ? await ask(await this.#readConditions(path)) : first;
    const text = await this.#read(response);
    const value = parseJson(text);
    if (response.ok && value !== undefined) return value as T;
    throw this.#toError(path, response, text);
  }

  /** Who types a command has just decided: what is there now is what they mean. */
  async #readConditions(path: string): Promise<Readonly<Record<string, string>>> {
    const response = await this.#send('GET', path.split('?')[0] ?? path, {
      headers: {},
      signal: AbortSignal.timeout(this.#timeoutMs),
    });
    await this.#read(response);
    const version = response.headers.get('etag');
    if (response.ok && version !== null) return { 'if-match': version };
    return response.status === NOT_FOUND ? { 'if-none-match': '*' } : {};
  }

  async #send(
    method: string,
    path: string,
    request: {
      readonly headers: Record<string, string>;
      readonly signal: AbortSignal;
      readonly body?: string;
    },
  ): Promise<Response> {
    if (this.#token !== undefined) request.headers.authorization = `Bearer ${this.#token}`;
    try {
      return await (await this.#fetch)(this.server + path, { method, ...request });
    } catch (cause) {
      throw this.#toUnreachable(cause);
    }
  }

  /** A server that goes away in the middle of its answer does not answer. */
  async #read(response: Response): Promise<string> {
    try {
      return await response.text();
    } catch (cause) {
      throw this.#toUnreachable(cause);
    }
  }

  #toError(path: string, response: Response, text: string): AttacheError {
    const value = parseJson(text);
    if (isProblem(value)) return new RestError(value);
    return new CliError('bad-answer', `${this.server}${path}: ${response.status}, and not from Attaché`);
  }

  #toUnreachable(cause: unknown): CliError {
    const inner = toInner(cause);
    const code = inner instanceof Error && 'code' in inner ? String(inner.code) : '';
    const refusal = TLS_REFUSALS.find(([pattern]) => pattern.test(code));
    if (refusal !== undefined)
      return new CliError('untrusted-server', `${this.server}: ${refusal[1]} (${code})`, { cause });
    // Plain text and TLS tell each other apart by what they cannot read.
    const hint = toSchemeHint(code, this.server);
    return new CliError('unreachable', `${this.server} does not answer (${explain(inner, code)})`, {
      cause,
      ...hint,
    });
  }
}

const TLS_REFUSALS = [
  [
    /SELF_SIGNED|UNABLE_TO|CERT_(UNTRUSTED|REJECTED|SIGNATURE)/,
    'its certificate is signed by nobody that is trusted here',
  ],
  [/ALTNAME_INVALID/, 'its certificate is for another name'],
  [/CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/, 'its certificate is out of date'],
] as const;
const PLAIN_TEXT = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/;
const CUT_OFF = /UND_ERR_SOCKET|ECONNRESET|HPE_/;

function toSchemeHint(code: string, server: string): { readonly hint?: string } {
  if (PLAIN_TEXT.test(code)) return { hint: 'It speaks plain HTTP: write http:// in --server' };
  return CUT_OFF.test(code) && server.startsWith('http:')
    ? { hint: 'If it speaks TLS, write https:// in --server. Envoys go on as they are.' }
    : {};
}

/** A fetch that trusts one more CA; the library is loaded where somebody names one. */
async function toTrusting(ca: string): Promise<typeof fetch> {
  const [{ Agent, fetch: fetchWith }, { getCACertificates }] = await Promise.all([
    import('undici'),
    import('node:tls'),
  ]);
  const dispatcher = new Agent({ connect: { ca: [...getCACertificates(), ca] } });
  const trusting = (url: string, init: object) => fetchWith(url, { ...init, dispatcher });
  // The same standard, declared twice.
  return trusting as unknown as typeof fetch;
}

/** The path of something with a namespace and a name, elements encoded. */
export function toPath(...elements: readonly string[]): string {
  return elements.map(element => `/${encodeURIComponent(element)}`).join('');
}

/** A server that starts, stops or is gone answers nothing, or that it cannot (now): another try may help. */
export function isServerAway(error: unknown): boolean {
  if (error instanceof RestError) return error.status >= 500 || error.status === TOO_MANY_REQUESTS;
  return error instanceof CliError && (error.code === 'unreachable' || error.code === 'bad-answer');
}

function toInner(cause: unknown): unknown {
  return cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
}

function explain(inner: unknown, code: string): string {
  if (code === 'ECONNREFUSED') return 'connection refused';
  if (code === 'ENOTFOUND') return 'no such host';
  return inner instanceof Error && inner.name === 'TimeoutError' ? 'timed out' : toMessage(inner);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isProblem(value: unknown): value is Problem {
  return (
    typeof value === 'object' &&
    value !== null &&
    'code' in value &&
    typeof value.code === 'string' &&
    'errors' in value &&
    Array.isArray(value.errors)
  );
}
