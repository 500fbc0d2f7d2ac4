import { readFileSync } from 'node:fs';
import type { Problem } from '../api/schema/problem.ts';
import { AttacheError, toMessage } from '../model/error.ts';
import { CliError } from './cli-error.ts';
import { EventStreamParser, type ServerSentEvent } from './event-stream.ts';

export const DEFAULT_SERVER = 'http://127.0.0.1:18002';
const TOO_MANY_REQUESTS = 429;

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

  constructor(server: string, token: string | undefined) {
    this.server = server.replace(/\/+$/, '');
    this.#token = token;
  }

  /** `--server`, else `$ATTACHE_SERVER`, else loopback; the token from `$ATTACHE_TOKEN` or its file. */
  static fromEnvironment(
    server: string | undefined,
    env: Readonly<Record<string, string | undefined>>,
  ): RestClient {
    const url = server ?? (env.ATTACHE_SERVER || DEFAULT_SERVER);
    if (!/^https?:\/\/[^/]/.test(url))
      throw new CliError('bad-usage', `--server ${url}: expected http://HOST:PORT`);
    return new RestClient(url, env.ATTACHE_TOKEN || readTokenFile(env.ATTACHE_TOKEN_FILE));
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

  async #call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { accept: 'application/json' };
    if (body !== undefined) headers['content-type'] = 'application/json';
    const response = await this.#send(method, path, {
      headers,
      signal: AbortSignal.timeout(60_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await this.#read(response);
    const value = parseJson(text);
    if (response.ok && value !== undefined) return value as T;
    throw this.#toError(path, response, text);
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
      return await fetch(this.server + path, { method, ...request });
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
    return new CliError('unreachable', `${this.server} does not answer (${explain(cause)})`, {
      cause,
      hint: 'Envoys go on as they are. Start it: attache serve',
    });
  }
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

function explain(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause;
  const code = inner instanceof Error && 'code' in inner ? inner.code : undefined;
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

function readTokenFile(path: string | undefined): string | undefined {
  if (!path) return undefined;
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new CliError('bad-file', `$ATTACHE_TOKEN_FILE: ${toMessage(cause)}`, { cause });
  }
}
