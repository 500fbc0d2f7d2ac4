import { Type } from 'typebox';
import { type ApiContext, readNow } from '../api-context.ts';
import { ApiError } from '../api-error.ts';
import { toModuleViews } from '../to-module-views.ts';
import { toNodeView } from '../to-node-view.ts';
import { type ApiServer, answers } from './route-schema.ts';

/** `/v1/nodes`, `/v1/modules`: what is observed, and can only be read. */
export function addFleetRoutes(app: ApiServer, context: ApiContext): void {
  app.get('/v1/nodes', { schema: { tags: ['nodes'], response: answers({ 200: 'NodeList' }) } }, async () => {
    const fleet = await readNow(context);
    return { kind: 'NodeList', items: fleet.nodes.map(presence => toNodeView(fleet, presence)) };
  });
  app.get(
    '/v1/nodes/:id',
    {
      schema: {
        tags: ['nodes'],
        params: Type.Object({ id: Type.String() }),
        response: answers({ 200: 'Node' }),
      },
    },
    async request => {
      const fleet = await readNow(context);
      const { id } = request.params;
      const presence = fleet.nodes.find(known => known.node.id === id);
      if (presence === undefined)
        throw new ApiError('not-found', `there is no node ${id}`, {
          hint: 'A node is known from its first connection on.',
        });
      return toNodeView(fleet, presence, true);
    },
  );
  app.get(
    '/v1/modules',
    { schema: { tags: ['modules'], response: answers({ 200: 'ModuleList' }) } },
    async () => {
      const [fleet, revisions] = await Promise.all([readNow(context), context.store.list('Revision')]);
      const items = toModuleViews(
        fleet,
        revisions.records.map(record => record.value),
      );
      return { kind: 'ModuleList', items };
    },
  );
}
