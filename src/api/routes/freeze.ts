import { FREEZE_KEY } from '../../store/record-kinds.ts';
import { type ApiContext, withCaller } from '../api-context.ts';
import { freeze, toFreezeView, unfreeze } from '../freeze.ts';
import { toETag } from '../preconditions.ts';
import { MessageBody } from '../schema/freeze-view.ts';
import {
  type ApiServer,
  answers,
  DryRunQuery,
  orNothing,
  toPreconditions,
  WriteHeaders,
  WriteQuery,
} from './route-schema.ts';

/** `/v1/freeze`: stops all changes until it is lifted. */
export function addFreezeRoutes(app: ApiServer, context: ApiContext): void {
  const schema = { tags: ['freeze'], response: answers({ 200: 'Freeze' }) };
  app.get('/v1/freeze', { schema }, async (_request, reply) => {
    const stored = await context.store.get('Freeze', FREEZE_KEY);
    if (stored !== undefined) reply.header('etag', toETag(stored.revision));
    return toFreezeView(stored?.value);
  });
  app.put(
    '/v1/freeze',
    { schema: { ...schema, querystring: DryRunQuery, headers: WriteHeaders, body: orNothing(MessageBody) } },
    request =>
      freeze(withCaller(context, request), {
        ...toPreconditions(request.headers),
        message: request.body?.message,
      }),
  );
  app.delete(
    '/v1/freeze',
    { schema: { ...schema, querystring: WriteQuery, headers: WriteHeaders } },
    request =>
      unfreeze(withCaller(context, request), {
        ...toPreconditions(request.headers),
        message: request.query.message,
      }),
  );
}
