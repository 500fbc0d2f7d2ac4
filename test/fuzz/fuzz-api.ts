import { type IncomingMessage, request as sendRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import {
  type DocumentedOperation,
  type Json,
  operationsOf,
  SchemaChecker,
} from '../contract/openapi-document.ts';
import { Chance } from '../simulation/chance.ts';
import { type FuzzRequest, makeRequest } from './api-inputs.ts';

/** Told, before it ends. */
const MOST_FALLS = 12;
/** More than a socket takes at once. */
const LONG_BODY = 50_000;
/** Requests under way at a time. */
const AT_ONCE = 16;
/** A limit per address bounds one that runs wild; here many do. */
const ADDRESSES = 40;

export interface ApiFall {
  readonly seed: number;
  readonly request: string;
  readonly what: string;
}

export interface FuzzedApi {
  readonly falls: readonly ApiFall[];
  /** How often each status was answered. */
  readonly statuses: Readonly<Record<string, number>>;
  /** Operations with an answer that was 2xx, and with one that was not. */
  readonly reached: ReadonlySet<string>;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly requestId: string | undefined;
  readonly text: string;
}

export interface FuzzTarget {
  readonly url: string;
  readonly document: Json;
  /** Those that docs/errors.md lists. */
  readonly codes: ReadonlySet<string>;
}

/** Sends requests made of the OpenAPI document and looks whether each answer is one that people can work with. */
export async function fuzzApi(target: FuzzTarget, seed: number, count: number): Promise<FuzzedApi> {
  const operations = operationsOf(target.document);
  const checker = new SchemaChecker(target.document);
  const falls: ApiFall[] = [];
  const statuses: Record<string, number> = {};
  const reached = new Set<string>();
  let next = 0;
  const work = async (): Promise<void> => {
    for (let i = next++; i < count && falls.length < MOST_FALLS; i = next++) {
      const made = makeRequest(operations, new Chance(seed + i));
      const told = (what: string): void => {
        falls.push({ seed: seed + i, request: tell(made), what });
      };
      try {
        const answer = await send(target.url, made, i % ADDRESSES);
        statuses[answer.status] = (statuses[answer.status] ?? 0) + 1;
        const documented = findOperation(operations, made);
        if (documented !== undefined)
          reached.add(`${documented.key} ${answer.status < 300 ? 'good' : 'bad'}`);
        const fault =
          findFault(made, answer, target.codes) ?? findContractFault(answer, documented, checker, target);
        if (fault !== undefined) told(fault);
      } catch (error) {
        // Refused before its long body was read: the answer may be lost with the connection.
        const isReset =
          error instanceof Error && 'code' in error && /^(ECONNRESET|EPIPE)$/.test(String(error.code));
        if (isReset && (made.body?.length ?? 0) > LONG_BODY) statuses.reset = (statuses.reset ?? 0) + 1;
        else told(error instanceof Error ? `${error.message}` : String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { falls, statuses, reached };
}

function tell({ method, target, headers, body }: FuzzRequest): string {
  const text =
    typeof body === 'string' ? body : body === undefined ? '' : Buffer.from(body).toString('latin1');
  return `${method} ${target.slice(0, 300)} ${JSON.stringify(headers).slice(0, 300)} ${text.slice(0, 600)}`;
}

function send(url: string, made: FuzzRequest, address: number): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = sendRequest(
      {
        ...{ hostname, port, method: made.method, path: toWire(made.target) },
        // A connection that is kept may be closed just as the next request goes out.
        agent: false,
        localAddress: `127.0.0.${address + 2}`,
        headers: toWireHeaders(made),
        timeout: 20_000,
      },
      response => read(response).then(resolve, reject),
    );
    request.on('timeout', () => request.destroy(new Error('no answer within 20 s')));
    request.on('error', reject);
    request.end(made.body);
  });
}

/** Node refuses to send some of what others would. */
function toWire(target: string): string {
  return target.replaceAll(/[^\x21-\x7e]/g, character => encodeURIComponent(character));
}

function toWireHeaders({ headers, body }: FuzzRequest): Record<string, string | number> {
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  return { ...headers, ...length };
}

async function read(response: IncomingMessage): Promise<Answer> {
  const type = (response.headers['content-type'] ?? '').split(';')[0] ?? '';
  const { 'x-request-id': id } = response.headers;
  const head = { status: response.statusCode ?? 0, type, requestId: typeof id === 'string' ? id : undefined };
  if (type === 'text/event-stream') {
    response.destroy();
    return { ...head, text: '' };
  }
  return { ...head, text: (await buffer(response)).toString('utf8') };
}

function findOperation(
  operations: readonly DocumentedOperation[],
  { method, target }: FuzzRequest,
): DocumentedOperation | undefined {
  const path = target.split(/[?#]/)[0] ?? '';
  if (/\/\.{1,2}(\/|$)/.test(path)) return undefined;
  const parts = path.split('/');
  const fits = (pattern: string): boolean => {
    const wanted = pattern.split('/');
    return (
      wanted.length === parts.length &&
      wanted.every((part, i) => (part.startsWith('{') ? parts[i] !== '' : part === parts[i]))
    );
  };
  // A fixed path is meant before one with places.
  return operations
    .filter(one => one.method === method && fits(one.path))
    .sort((a, b) => a.path.split('{').length - b.path.split('{').length)[0];
}

/** What no answer may be. */
function findFault(
  { target }: FuzzRequest,
  { status, type, requestId, text }: Answer,
  codes: ReadonlySet<string>,
): string | undefined {
  if (status >= 500) return `${status} ${text.slice(0, 400)}`;
  // The registry speaks as its own specification has it.
  if (/^\/v2(\/|\?|$)/.test(target)) return undefined;
  if (requestId === undefined) return `${status} without a request id`;
  if (status < 400) return undefined;
  if (text === '') return undefined;
  if (type !== 'application/problem+json') return `${status} as ${type}: ${text.slice(0, 200)}`;
  const problem = JSON.parse(text) as { status?: unknown; code?: unknown; detail?: unknown };
  if (problem.status !== status) return `${status} says that it is ${String(problem.status)}`;
  if (typeof problem.code !== 'string' || !codes.has(problem.code))
    return `docs/errors.md has no ${String(problem.code)}`;
  return undefined;
}

/** What the OpenAPI document did not announce. */
function findContractFault(
  { status, type, text }: Answer,
  documented: DocumentedOperation | undefined,
  checker: SchemaChecker,
  { document }: FuzzTarget,
): string | undefined {
  if (documented === undefined || status === 304) return undefined;
  const { responses } = documented.operation;
  const known = responses[status];
  if (known === undefined) return `${documented.key}: ${status} is not documented: ${text.slice(0, 300)}`;
  if (status >= 400) {
    const { code } = JSON.parse(text) as { code: string };
    return known.description?.includes(`\`${code}\``)
      ? undefined
      : `${documented.key}: ${status} ${code} is not documented: ${text.slice(0, 300)}`;
  }
  const schema =
    known.content?.[type]?.schema ?? document.components.responses[status]?.content?.[type]?.schema;
  if (!type.endsWith('json')) return undefined;
  const faults = checker.faultsOf(schema, JSON.parse(text));
  return faults.length === 0 ? undefined : `${documented.key}: ${faults.slice(0, 3).join('; ')}`;
}
