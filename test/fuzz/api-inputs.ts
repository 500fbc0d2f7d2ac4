import type { DocumentedOperation, Json } from '../contract/openapi-document.ts';
import type { Chance } from '../simulation/chance.ts';
import { mutate, STRANGE_TEXTS, toBrokenText } from './mutate.ts';

/** A request, as it goes over the wire. */
export interface FuzzRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** What there is in the scene, so that requests also get past the first check. */
const KNOWN: Readonly<Record<string, readonly string[]>> = {
  namespace: ['default', 'default', 'default', 'edge'],
  name: ['auth', 'auth', 'app', 'other', 'registry', 'ci'],
  type: ['clusters', 'listeners', 'secrets', 'runtimes'],
  id: ['edge-a-001', 'edge-a-002', 'default.auth.3', 'default.auth.latest'],
  number: ['7', '8', '9'],
  digest: ['0'.repeat(64), `sha256:${'a'.repeat(64)}`],
};
const METHODS = ['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE'];
const TYPES = [
  'application/json',
  'application/merge-patch+json',
  'application/json; charset=utf-16',
  'APPLICATION/JSON',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/json;',
  '/',
  'x'.repeat(300),
];
const HEADERS: readonly (readonly [string, readonly string[]])[] = [
  ['if-match', ['*', '"1"', 'W/"1"', '"', ',,,', '"1.x", "2"', 'x'.repeat(4_000)]],
  ['if-none-match', ['*', '"1"', '', ',']],
  ['accept', ['text/event-stream', '*/*', 'text/event-stream;q=0', 'application/jsonl', ';;', '']],
  ['last-event-id', ['000000000001-x', '999999999999-~', '-', 'x'.repeat(900)]],
  ['x-request-id', ['a b', 'ok-1', '\u00ff', 'x'.repeat(100)]],
  ['traceparent', ['00-0-0-0', 'x']],
  ['authorization', ['Bearer x', 'Basic x', 'Bearer ', 'Bearer '.repeat(50)]],
  ['range', ['bytes=0-1,5-', 'bytes=9-1']],
  ['content-encoding', ['gzip', 'br', 'x']],
  ['expect', ['100-continue']],
  ['origin', ['null', 'http://evil.example']],
  ['x-forwarded-for', ['::1', "' OR 1"]],
];

/** What is answered and stands in no document, and what is answered by nobody. */
const BESIDE = [
  ...['/metrics', '/openapi.json', '/v1', '/v1/', '/V1/nodes', '//', '/favicon.ico', '/v1/nodes/a/b/c', '*'],
  ...['/v2', '/v2/', '/v2/_catalog', '/v2/_catalog?n=x&last=%00', '/v2/a/tags/list', '/v2/a/tags/list?n=-1'],
  ...['/v2/a/manifests/1.0', '/v2/a/manifests/sha256:0', '/v2/a/manifests/..', '/v2/%00/manifests/x'],
  ...[
    '/v2/a/blobs/uploads/',
    '/v2/a/blobs/uploads/?mount=x&from=y',
    '/v2/a/blobs/uploads/none?digest=sha256:z',
  ],
  ...[
    '/v2/a/blobs/sha256:zz',
    `/v2/a/blobs/sha256:${'0'.repeat(64)}`,
    '/v2/../v1/nodes',
    '/v2/a/referrers/x',
  ],
];

/** A request to an operation: as documented, or wrong in one way or several; now and then one beside all of them. */
export function makeRequest(operations: readonly DocumentedOperation[], chance: Chance): FuzzRequest {
  if (chance.is(0.06)) return makeBeside(chance);
  const { method, path, operation } = chance.pick(operations);
  const strangeness = chance.pick([0, 0, 0.02, 0.1, 0.5]);
  const target = toTarget(path, operation, chance, strangeness);
  const used = chance.is(0.04) ? chance.pick(METHODS) : method;
  const body = used === 'GET' || used === 'HEAD' ? undefined : toBody(operation, chance);
  const own = Object.keys(operation.requestBody?.content ?? {})[0] ?? 'application/json';
  return {
    method: used,
    target,
    headers: {
      ...(body === undefined ? {} : { 'content-type': chance.is(0.06) ? chance.pick(TYPES) : own }),
      ...Object.fromEntries(
        chance.is(0.25)
          ? chance.some(HEADERS, chance.integer(1, 3)).map(([name, values]) => [name, chance.pick(values)])
          : [],
      ),
    },
    ...(body === undefined ? {} : { body }),
  };
}

function makeBeside(chance: Chance): FuzzRequest {
  const method = chance.pick(METHODS);
  const body = chance.is(0.5) ? toBrokenText({ schemaVersion: 2, layers: [{}] }, chance) : undefined;
  const type = chance.pick([
    ...TYPES,
    'application/vnd.oci.image.manifest.v1+json',
    'application/octet-stream',
  ]);
  const headers = Object.fromEntries(
    chance.some(HEADERS, 1).map(([name, values]) => [name, chance.pick(values)]),
  );
  return {
    method,
    target: chance.pick(BESIDE),
    headers: { ...headers, ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body }),
  };
}

function toTarget(path: string, { parameters = [] }: Json, chance: Chance, strangeness: number): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) =>
    chance.is(strangeness) ? toPlace(chance) : encodeURIComponent(chance.pick(KNOWN[name] ?? ['x'])),
  );
  const query = parameters
    .filter((one: Json) => one.in === 'query' && (one.required || chance.is(0.3)))
    .flatMap(({ name, schema }: Json) => {
      const text = `${name}=${encodeURIComponent(toValue(name, schema, chance, strangeness))}`;
      return chance.is(0.03) ? [text, text] : [text];
    });
  if (chance.is(strangeness / 4))
    query.push(chance.pick(['x=1', '__proto__=1', 'limit[]=1', '%zz', 'a=%ff', '&&']));
  const tail = chance.is(0.01) ? chance.pick(['/', '//', '/..', ';x', '#x', '/%2e%2e/']) : '';
  return `${filled}${tail}${query.length === 0 ? '' : `?${query.join('&')}`}`;
}

/** What stands in a place of the path, encoded or as it must not be. */
function toPlace(chance: Chance): string {
  const text = chance.pick(STRANGE_TEXTS);
  const raw = [
    '%00',
    '%zz',
    '%ED%A0%80',
    '..',
    '.',
    '%2F',
    '%2e%2e',
    'x'.repeat(2_100),
    '%F0%9F%98%80',
    ':id',
  ];
  return chance.is(0.5) ? chance.pick(raw) : encodeURIComponent(text.toWellFormed());
}

function toValue(name: string, schema: Json, chance: Chance, strangeness: number): string {
  if (chance.is(strangeness)) return chance.pick(STRANGE_TEXTS).toWellFormed();
  if (schema.enum !== undefined) return chance.pick(schema.enum as string[]);
  switch (schema.type) {
    case 'integer':
      return String(chance.pick([1, 2, 7, 8, 100]));
    case 'boolean':
      // A change in earnest now and then, so that the next request finds another world.
      return String(name === 'dryRun' ? chance.is(0.5) : chance.is(0.5));
    default:
      return chance.pick(['default', 'auth', 'a', '1h', 'default/auth', 'app=gateway']);
  }
}

function toBody({ requestBody }: Json, chance: Chance): string | Uint8Array | undefined {
  const [content] = Object.values<Json>(requestBody?.content ?? {});
  const example: unknown = content?.example ?? { message: 'x' };
  if (chance.is(requestBody === undefined ? 0.9 : 0.05)) return undefined;
  if (chance.is(0.1)) return toBrokenText(example, chance);
  return JSON.stringify(chance.is(0.3) ? example : mutate(example, chance));
}
