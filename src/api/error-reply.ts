import { AttacheError, type Fault } from '../model/error.ts';
import { ApiError, type ApiErrorCode } from './api-error.ts';
import type { Problem } from './schema/problem.ts';

/** The HTTP status of every code that can end a request; any other code is 500. The only such table. */
const STATUS: Readonly<Record<string, number>> = {
  // api
  unauthenticated: 401,
  forbidden: 403,
  'token-wrong': 422,
  'token-exists': 409,
  'webhook-wrong': 422,
  'not-found': 404,
  'unknown-path': 404,
  'bad-json': 400,
  'media-type': 415,
  'body-too-large': 413,
  'bad-request': 400,
  'bad-query': 400,
  'cursor-expired': 410,
  'uri-too-long': 414,
  'headers-too-large': 431,
  'request-timeout': 408,
  'name-mismatch': 422,
  'revision-mismatch': 412,
  'precondition-required': 428,
  'name-conflict': 409,
  'address-conflict': 409,
  'illegal-action': 409,
  frozen: 423,
  'signature-refused': 409,
  'group-in-use': 409,
  'node-connected': 409,
  'node-admin-unset': 409,
  'node-log-unset': 409,
  'node-setting-wrong': 422,
  'node-token-unused': 409,
  'foreign-host': 403,
  'foreign-origin': 403,
  'too-many-requests': 429,
  'not-ready': 503,
  internal: 500,
  // documents
  'unknown-field': 422,
  'wrong-type': 422,
  'missing-field': 422,
  'out-of-bounds': 422,
  contradiction: 422,
  'not-supported': 422,
  'unknown-kind': 422,
  'config-mismatch': 422,
  // compile
  'unknown-type': 422,
  'wrong-resource': 422,
  'redacted-value': 422,
  // nodes
  'admin-address-refused': 422,
  'admin-unreachable': 502,
  'admin-bad-answer': 502,
  'admin-other-node': 409,
  'node-log-refused': 422,
  'node-log-unreadable': 502,
  // store
  conflict: 409,
  'store-closed': 503,
  'store-full': 507,
  'store-failed': 503,
};

/** The HTTP status of a code. */
export function statusOf(code: string): number {
  return STATUS[code] ?? 500;
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Who are you?',
  403: 'Forbidden',
  404: 'Not found',
  408: 'Too slow',
  409: 'Conflict',
  410: 'Gone',
  412: 'Precondition failed',
  413: 'Body too large',
  414: 'URL too long',
  415: 'Unsupported media type',
  422: 'The document is not valid',
  423: 'Frozen',
  428: 'Precondition required',
  429: 'Too many requests',
  431: 'Headers too large',
  500: 'Internal error',
  502: 'The node cannot be asked',
  503: 'Not ready',
  507: 'No space left',
};

/** Fastify's own codes, in our words. https://fastify.dev/docs/latest/Reference/Errors/ */
const FASTIFY_CODES: Readonly<Record<string, ApiErrorCode>> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'bad-json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'bad-json',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'media-type',
  FST_ERR_CTP_EMPTY_TYPE: 'media-type',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'bad-request',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_VALIDATION: 'bad-query',
  FST_ERR_BAD_URL: 'unknown-path',
  FST_ERR_MAX_PARAM_LENGTH: 'unknown-path',
};

const HINTS: Readonly<Partial<Record<ApiErrorCode, string>>> = {
  'media-type': 'Send Content-Type: application/json.',
  'body-too-large': 'A document has at most 1 MiB.',
};

/** Where in the answer's world the error happened. */
export interface RequestFacts {
  readonly path: string;
  readonly requestId: string;
}

/** Anything that was thrown, as the problem that answers the request. What is our fault says nothing of itself. */
export function toProblem(thrown: unknown, { path, requestId }: RequestFacts): Problem {
  const error = toAttacheError(thrown);
  const status = statusOf(error.code);
  const known = status === 500 ? new ApiError('internal', 'something went wrong in Attaché') : error;
  return {
    type: `docs/errors.md#${known.code}`,
    title: TITLES[status] ?? 'Error',
    status,
    detail: known.message,
    instance: path,
    code: known.code,
    requestId,
    errors: known.faults.map(toProblemFault),
    ...(known.hint === undefined ? {} : { hint: known.hint }),
  };
}

function toAttacheError(thrown: unknown): AttacheError {
  if (thrown instanceof AttacheError) return thrown;
  if (!(thrown instanceof Error)) return new ApiError('internal', 'unknown');
  const foreign = thrown as Error & { code?: unknown; statusCode?: unknown };
  const code = typeof foreign.code === 'string' ? FASTIFY_CODES[foreign.code] : undefined;
  const fallback = toFallbackCode(foreign.statusCode);
  const chosen = code ?? fallback;
  const hint = HINTS[chosen];
  return new ApiError(chosen, foreign.message, { cause: thrown, ...(hint === undefined ? {} : { hint }) });
}

function toFallbackCode(statusCode: unknown): ApiErrorCode {
  if (statusCode === 429) return 'too-many-requests';
  // The JSON parser's complaints carry a bare 400.
  return statusCode === 400 ? 'bad-json' : 'internal';
}

function toProblemFault({ pointer, message, hint }: Fault): Problem['errors'][number] {
  return hint === undefined ? { pointer, message } : { pointer, message, hint };
}
