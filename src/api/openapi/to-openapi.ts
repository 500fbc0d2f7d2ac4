import type { Access } from '../access/route-access.ts';
import { MERGE_PATCH_TYPE } from '../body-parsers.ts';
import { statusOf } from '../error-reply.ts';
import { nameRepeated } from './name-repeated.ts';
import type { Operation } from './operation.ts';

/** A part of the document; what @fastify/swagger made of the schemas is taken as it is. */
export type Node = { [key: string]: unknown };

const JSON_TYPE = 'application/json';
const PROBLEM = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
const METHODS = ['get', 'put', 'post', 'patch', 'delete'];
const ALWAYS = [
  ...['bad-query', 'bad-request', 'bad-json', 'media-type', 'uri-too-long', 'headers-too-large'],
  ...['foreign-host', 'foreign-origin', 'too-many-requests', 'internal', 'store-failed'],
];

export interface OpenApiFacts {
  readonly operations: Readonly<Record<string, Operation>>;
  /** By method and path, as the routes are registered. */
  readonly access: Readonly<Record<string, Access>>;
}

/** Completes what was generated from the schemas: ids, summaries, problems, conditions, examples, security. */
export function toOpenApi(document: Node, { operations, access }: OpenApiFacts): Node {
  const paths = Object.entries(document.paths as Record<string, Node>).map(([path, item]) => {
    const methods = Object.entries(item).map(([method, operation]) => {
      if (!METHODS.includes(method)) return [method, operation];
      const key = `${method.toUpperCase()} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
      return [method, complete(method, operation as Node, operations[key], access[key])];
    });
    return [path, Object.fromEntries(methods)];
  });
  const { schemas } = document.components as { schemas: Node };
  return nameRepeated({
    ...document,
    paths: Object.fromEntries(paths),
    components: { schemas, responses: RESPONSES, headers: HEADERS, securitySchemes: SECURITY },
    security: [{ token: [] }],
  });
}

function complete(
  method: string,
  operation: Node,
  row: Operation | undefined,
  access: Access | undefined,
): Node {
  const parameters = [...((operation.parameters as Node[] | undefined) ?? [])];
  const isList = parameters.some(({ name }) => name === 'cursor');
  const codes = new Set([...ALWAYS, ...(row?.problems ?? []), ...codesOfShape(operation, parameters)]);
  if (access !== 'open') for (const code of ['unauthenticated', 'forbidden']) codes.add(code);
  const isRead = method === 'get';
  if (isRead) parameters.push(IF_NONE_MATCH);
  return {
    ...operation,
    ...(row === undefined ? {} : { operationId: row.id, summary: row.summary }),
    ...(access === 'open' ? { security: [] } : {}),
    ...(access === undefined || access === 'open' ? {} : { 'x-attache-role': access.role }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(operation.requestBody === undefined
      ? {}
      : { requestBody: toBody(method, operation.requestBody as Node, row) }),
    responses: toResponses(operation.responses as Node, codes, { isRead, isList }),
    ...(row?.events === undefined ? {} : { 'x-attache-events': toRefs(row.events) }),
  };
}

function toRefs(names: Readonly<Record<string, string>>): Node {
  return Object.fromEntries(
    Object.entries(names).map(([event, name]) => [event, { $ref: `#/components/schemas/${name}` }]),
  );
}

/** What can be wrong with any request that is made like this. */
function codesOfShape({ requestBody }: Node, parameters: readonly Node[]): string[] {
  const has = (where: string, name?: string): boolean =>
    parameters.some(one => one.in === where && (name === undefined || one.name === name));
  return [
    ...(requestBody === undefined ? [] : ['body-too-large']),
    ...(has('path') ? ['not-found', 'unknown-path'] : []),
    ...(has('query', 'cursor') ? ['cursor-expired'] : []),
    ...(has('header', 'if-match') ? ['revision-mismatch', 'precondition-required'] : []),
    ...(has('query', 'dryRun') ? ['store-full', 'conflict'] : []),
  ];
}

/** One content type a method; the body of a verb may be left out. */
function toBody(method: string, { content }: Node, row: Operation | undefined): Node {
  const { schema } = (content as Record<string, { schema: Node }>)[JSON_TYPE] ?? { schema: {} };
  const alternatives = (schema.anyOf as Node[] | undefined) ?? [];
  const optional = alternatives.some(({ type }) => type === 'null');
  const own =
    optional && alternatives.length === 2 ? alternatives.find(({ type }) => type !== 'null') : schema;
  return {
    required: !optional,
    content: {
      [method === 'patch' ? MERGE_PATCH_TYPE : JSON_TYPE]: {
        schema: row?.body === undefined ? own : { $ref: `#/components/schemas/${row.body}` },
        ...(row?.example === undefined ? {} : { example: row.example }),
      },
    },
  };
}

function toResponses(
  answers: Node,
  codes: ReadonlySet<string>,
  { isRead, isList }: { readonly isRead: boolean; readonly isList: boolean },
): Node {
  const good = Object.entries(answers as Record<string, Node>)
    .filter(([status]) => status !== 'default')
    .map(([status, answer]) => {
      const more = {
        ...(isRead ? { ETag: { $ref: '#/components/headers/ETag' } } : {}),
        ...(isList ? { Link: { $ref: '#/components/headers/Link' } } : {}),
      };
      const description =
        answer.description === 'Default Response' ? STATUS_TEXTS[status] : answer.description;
      return [status, { ...answer, description, headers: { ...EVERYWHERE, ...more } }] as const;
    });
  const byStatus = Map.groupBy([...codes].sort(), statusOf);
  const bad = [...byStatus].map(([status, known]) => {
    const description = known.map(code => `\`${code}\``).join(', ');
    return [String(status), { $ref: '#/components/responses/Problem', description }] as const;
  });
  const unchanged = isRead ? [['304', { $ref: '#/components/responses/Unchanged' }] as const] : [];
  return {
    ...Object.fromEntries([...good, ...unchanged, ...bad].sort(([a], [b]) => (a < b ? -1 : 1))),
    default: { $ref: '#/components/responses/Problem' },
  };
}

const EVERYWHERE = {
  'X-Request-Id': { $ref: '#/components/headers/RequestId' },
  'RateLimit-Remaining': { $ref: '#/components/headers/RateLimitRemaining' },
};

const RESPONSES = {
  Problem: { description: 'What went wrong, with a stable code', headers: EVERYWHERE, content: PROBLEM },
  Unchanged: { description: 'The reader has it already', headers: EVERYWHERE },
};

const STATUS_TEXTS: Readonly<Record<string, string>> = {
  200: 'Done',
  201: 'Created',
  202: 'Stored, and still to come',
};

const IF_NONE_MATCH = {
  name: 'if-none-match',
  in: 'header',
  required: false,
  description: 'ETag of what the reader has: 304 while it is the same',
  schema: { type: 'string' },
};

const HEADERS = {
  ETag: {
    description: 'Of this answer; If-Match takes it, too, and looks at the version in it alone',
    schema: { type: 'string' },
  },
  Link: { description: '`<…>; rel="next"`: the next page, where there is one', schema: { type: 'string' } },
  RequestId: { description: 'That of the request, or a new one; the log has it', schema: { type: 'string' } },
  RateLimitRemaining: { description: 'Requests left in this minute', schema: { type: 'integer' } },
};

const SECURITY = {
  token: {
    type: 'http',
    scheme: 'bearer',
    description: 'A token of POST /v1/tokens. An API on loopback alone asks for none. docs/access.md',
  },
};
