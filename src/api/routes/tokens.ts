import { createToken, listTokens, readToken, revokeToken } from '../access/tokens.ts';
import { type ApiContext, withCaller } from '../api-context.ts';
import { type ListOrder, takePage } from '../page.ts';
import { NewToken, type TokenView } from '../schema/token-view.ts';
import { Type } from '../schema/type.ts';
import { type ApiServer, answers, DryRunQuery, ListQuery, WriteQuery } from './route-schema.ts';

const PATH = '/v1/tokens/:name';
const Params = Type.Object({ name: Type.String() });
const TAGS = ['tokens'];
const BY_NAME: ListOrder<TokenView> = { keyOf: ({ name }) => name, order: 'rising' };

/** `/v1/tokens`: who may call this API. A token is made and revoked; it never changes. */
export function addTokenRoutes(app: ApiServer, context: ApiContext): void {
  app.get(
    '/v1/tokens',
    { schema: { tags: TAGS, querystring: ListQuery, response: answers({ 200: 'TokenList' }) } },
    async (request, reply) => {
      const page = takePage(request, reply, context.clock, await listTokens(context), BY_NAME);
      return { kind: 'TokenList', ...page };
    },
  );
  app.post(
    '/v1/tokens',
    {
      schema: {
        tags: TAGS,
        querystring: DryRunQuery,
        body: NewToken,
        response: answers({ 200: 'TokenCreated', 201: 'TokenCreated' }),
      },
    },
    async (request, reply) => {
      const caller = withCaller(context, request);
      const created = await createToken(caller, request.body);
      // Nobody between may keep it.
      reply.header('cache-control', 'no-store');
      return reply.code(caller.dryRun ? 200 : 201).send(created);
    },
  );
  app.get(PATH, { schema: { tags: TAGS, params: Params, response: answers({ 200: 'Token' }) } }, request =>
    readToken(context, request.params.name),
  );
  app.delete(
    PATH,
    {
      schema: {
        tags: TAGS,
        params: Params,
        querystring: WriteQuery,
        response: answers({ 200: 'TokenRevoked' }),
      },
    },
    request => revokeToken(withCaller(context, request), request.params.name, request.query.message),
  );
}
