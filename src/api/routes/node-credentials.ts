import { type ApiContext, withCaller } from '../api-context.ts';
import { giveNodeToken, revokeNode } from '../node-credentials.ts';
import { MessageBody } from '../schema/freeze-view.ts';
import { NodeParams } from './node-routes.ts';
import {
  type ApiServer,
  answers,
  DryRunQuery,
  orNothing,
  toPreconditions,
  WriteHeaders,
} from './route-schema.ts';

/** What proves that an Envoy is a node. */
export function addNodeCredentialRoutes(app: ApiServer, context: ApiContext): void {
  const schema = { tags: ['nodes'], params: NodeParams, querystring: DryRunQuery };
  app.post(
    '/v1/nodes/:id/token',
    { schema: { ...schema, response: answers({ 200: 'NodeToken' }) } },
    async (request, reply) => {
      const answer = await giveNodeToken(withCaller(context, request), request.params.id);
      reply.header('cache-control', 'no-store');
      return answer;
    },
  );
  app.put(
    '/v1/nodes/:id/revocation',
    {
      schema: {
        ...schema,
        headers: WriteHeaders,
        body: orNothing(MessageBody),
        response: answers({ 200: 'NodeAnswer' }),
      },
    },
    request =>
      revokeNode(withCaller(context, request), request.params.id, {
        ...toPreconditions(request.headers),
        message: request.body?.message,
      }),
  );
}
