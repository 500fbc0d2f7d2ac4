import { FREEZE_KEY } from '../../store/record-kinds.ts';
import { type ApiContext, withCaller } from '../api-context.ts';
import { freeze, toFreezeView, unfreeze } from '../freeze.ts';
import { MessageBody } from '../schema/freeze-view.ts';
import { type ApiServer, answers, MessageQuery, orNothing } from './route-schema.ts';

/** `/v1/freeze`: stops all changes until it is lifted. */
export function addFreezeRoutes(app: ApiServer, context: ApiContext): void {
  const schema = { tags: ['freeze'], response: answers({ 200: 'Freeze' }) };
  app.get('/v1/freeze', { schema }, async () =>
    toFreezeView((await context.store.get('Freeze', FREEZE_KEY))?.value),
  );
  app.put('/v1/freeze', { schema: { ...schema, body: orNothing(MessageBody) } }, request =>
    freeze(withCaller(context, request), request.body?.message),
  );
  app.delete('/v1/freeze', { schema: { ...schema, querystring: MessageQuery } }, request =>
    unfreeze(withCaller(context, request), request.query.message),
  );
}
