import type { FastifyReply, FastifyRequest } from 'fastify';
import { toMessage } from '../model/error.ts';
import { blotParts } from '../model/redact.ts';
import type { ApiContext } from './api-context.ts';
import { ApiError } from './api-error.ts';
import { toDenial } from './audit-request.ts';
import { toProblem } from './error-reply.ts';
import { isFresh, toContentTag } from './preconditions.ts';
import { type ApiServer, WriteHeaders } from './routes/route-schema.ts';
import { Type } from './schema/type.ts';

/** In an emergency nobody reads first. */
const AT_ONCE: readonly string[] = ['/v1/freeze', '/v1/nodes/:id/exclusion'];
const NO_QUERY = Type.Object({}, { additionalProperties: false });
/** https://www.w3.org/TR/trace-context/#traceparent-header */
const TRACE_PARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

/** What holds for every route: ids, entity tags, problems for what goes wrong, the audit of denials, a line in the log. */
export function addRequestHooks(
  app: ApiServer,
  {
    log,
    clock,
    denials,
    requireIfMatch,
  }: Pick<ApiContext, 'log' | 'clock' | 'denials'> & { readonly requireIfMatch: boolean },
): void {
  // A parameter that nobody reads is a misspelling of one that somebody would have read.
  app.addHook('onRoute', route => {
    route.schema = { querystring: NO_QUERY, ...route.schema };
  });
  if (requireIfMatch)
    app.addHook('preValidation', async request => {
      const { schema, url = '' } = request.routeOptions;
      if (schema?.headers === WriteHeaders && !AT_ONCE.includes(url)) refuseUnconditional(request);
    });
  app.addHook('onSend', async (request, reply, payload) => {
    reply.header('x-request-id', request.id);
    return reply.statusCode === 200 && isRead(request) && typeof payload === 'string'
      ? tagContent(request, reply, payload)
      : payload;
  });
  app.addHook('onResponse', async (request, reply) => {
    const fields = {
      ...toFields(request),
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime),
    };
    if (isRead(request)) log.debug(fields, 'request answered');
    else log.info(fields, 'request answered');
  });
  app.setErrorHandler(async (thrown, request, reply) => {
    const problem = toProblem(thrown, { path: toPath(request), requestId: request.id });
    if (problem.status >= 500)
      log.error({ ...toFields(request), error: toMessage(thrown) }, 'request failed');
    const denial = toDenial(request, problem, clock);
    if (denial !== undefined) await denials.record(denial);
    return reply.code(problem.status).type('application/problem+json').send(problem);
  });
  app.setNotFoundHandler(request => {
    throw new ApiError('unknown-path', `${request.method} ${toPath(request)}: no such path or method`, {
      hint: 'GET / lists the paths.',
    });
  });
}

function refuseUnconditional({ method, headers }: FastifyRequest): void {
  if (headers['if-match'] !== undefined || headers['if-none-match'] !== undefined) return;
  throw new ApiError('precondition-required', `${method} without If-Match is not taken here`, {
    hint: 'Read it first, and send its ETag as If-Match; If-None-Match: * to create.',
  });
}

/** The answer with its tag, or 304 for a reader who has it. */
function tagContent(request: FastifyRequest, reply: FastifyReply, body: string): string {
  const own = reply.getHeader('etag');
  const tag = toContentTag(typeof own === 'string' ? own : undefined, body);
  reply.header('etag', tag);
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'private, no-cache');
  if (!isFresh(request.headers['if-none-match'], tag)) return body;
  reply.code(304).removeHeader('content-type').removeHeader('content-length');
  return '';
}

function isRead({ method }: FastifyRequest): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** People paste tokens where names belong. */
function toPath({ url }: FastifyRequest): string {
  return blotParts(url.split('?')[0] ?? '');
}

function toFields(request: FastifyRequest): object {
  const { traceparent } = request.headers;
  return {
    method: request.method,
    path: toPath(request),
    requestId: request.id,
    ...(typeof traceparent === 'string' && TRACE_PARENT.test(traceparent) ? { traceparent } : {}),
  };
}
