import type { FastifyReply, FastifyRequest } from 'fastify';
import { XDS_TYPES } from '../../model/type-url.ts';
import { isVisible, readVisible } from '../access/visible.ts';
import { type ApiContext, withCaller } from '../api-context.ts';
import { ApiError } from '../api-error.ts';
import { applyResource } from '../apply-resource.ts';
import { deleteResource } from '../delete-resource.ts';
import { toUnknownResource } from '../not-found.ts';
import { BY_KEY, matchesText, takePage } from '../page.ts';
import { toETag } from '../preconditions.ts';
import { type Static, Type } from '../schema/type.ts';
import { toResourceView } from '../to-resource-view.ts';
import {
  type ApiServer,
  answers,
  DocumentBody,
  NamedListQuery,
  refuseWrong,
  toAppliedStatus,
  toDeletedStatus,
  toPreconditions,
  WriteHeaders,
  WriteQuery,
} from './route-schema.ts';

const PATH = '/v1/resources/:type/:namespace/:name';
const Params = Type.Object({ type: Type.String(), namespace: Type.String(), name: Type.String() });

interface ListRequest extends Pick<FastifyRequest, 'caller'> {
  readonly url: string;
  readonly query: Static<typeof NamedListQuery>;
}

/** `/v1/resources/{type}`: raw Envoy resources. */
export function addResourceRoutes(app: ApiServer, context: ApiContext): void {
  const list = async (prefix: string, request: ListRequest, reply: FastifyReply) => {
    const { namespace, q } = request.query;
    const [{ nodes }, { records }] = await Promise.all([
      readVisible(withCaller(context, request)),
      context.store.list('ResourceSpec', prefix),
    ]);
    const { rootNamespace } = context;
    const wanted = records
      .filter(({ key, value }) =>
        isVisible(request.caller, { kind: 'resource', name: key, reaches: [value] }, rootNamespace),
      )
      .filter(({ value }) => namespace === undefined || value.namespace === namespace)
      .filter(({ value }) => matchesText(q, [`${value.namespace}/${value.name}`]));
    const page = takePage(request, reply, context.clock, wanted, BY_KEY);
    const items = page.items.map(stored => toResourceView(stored, nodes, context.rootNamespace));
    return { kind: 'EnvoyResourceList', ...page, items };
  };
  const schema = {
    tags: ['resources'],
    querystring: NamedListQuery,
    response: answers({ 200: 'EnvoyResourceList' }),
  };
  app.get('/v1/resources', { schema }, (request, reply) => list('', request, reply));
  app.get(
    '/v1/resources/:type',
    { schema: { ...schema, params: Type.Object({ type: Type.String() }) } },
    (request, reply) => {
      checkType(request.params.type);
      return list(`${request.params.type}/`, request, reply);
    },
  );
  app.get(
    PATH,
    { schema: { tags: ['resources'], params: Params, response: answers({ 200: 'EnvoyResource' }) } },
    async (request, reply) => {
      const key = toKey(request.params);
      const stored = await context.store.get('ResourceSpec', key);
      if (stored === undefined) throw toUnknownResource(key);
      reply.header('etag', toETag(stored.revision));
      const { nodes } = await readVisible(withCaller(context, request));
      return toResourceView(stored, nodes, context.rootNamespace);
    },
  );
  addResourceWrites(app, context);
}

function addResourceWrites(app: ApiServer, context: ApiContext): void {
  app.put(
    PATH,
    {
      schema: {
        tags: ['resources'],
        params: Params,
        querystring: WriteQuery,
        headers: WriteHeaders,
        body: DocumentBody,
        response: answers({ 200: 'EnvoyResourceApplyAnswer', 201: 'EnvoyResourceApplyAnswer' }),
      },
      attachValidation: true,
    },
    async (request, reply) => {
      refuseWrong(request.validationError, 'body');
      toKey(request.params);
      const caller = withCaller(context, request);
      const { message } = request.query;
      const conditions = toPreconditions(request.headers);
      const answer = await applyResource(caller, { ...request.params, ...conditions, message }, request.body);
      if (!caller.dryRun) reply.header('etag', toETag(Number(answer.metadata.resourceVersion)));
      return reply.code(toAppliedStatus(answer, caller.dryRun)).send(answer);
    },
  );
  app.delete(
    PATH,
    {
      schema: {
        tags: ['resources'],
        params: Params,
        querystring: WriteQuery,
        headers: WriteHeaders,
        response: answers({ 200: 'Deleted', 202: 'Deleted' }),
      },
    },
    async (request, reply) => {
      const caller = withCaller(context, request);
      const { message } = request.query;
      const target = { key: toKey(request.params), ...request.params };
      const answer = await deleteResource(caller, target, {
        ...toPreconditions(request.headers),
        message,
      });
      return reply.code(toDeletedStatus(answer)).send(answer);
    },
  );
}

function toKey({ type, namespace, name }: { type: string; namespace: string; name: string }): string {
  checkType(type);
  return `${type}/${namespace}/${name}`;
}

function checkType(type: string): void {
  if (!XDS_TYPES.some(known => known.plural === type))
    throw new ApiError('not-found', `there is no resource type ${type}`, {
      hint: `Known: ${XDS_TYPES.map(known => known.plural).join(', ')}`,
    });
}
