import { Type } from 'typebox';
import { type ApiContext, readNow } from '../api-context.ts';
import { ApiError } from '../api-error.ts';
import { toTime } from '../schema/metadata.ts';
import { toModuleViews } from '../to-module-views.ts';
import { toNodeView } from '../to-node-view.ts';
import { type ApiServer, answers } from './route-schema.ts';

const EventQuery = Type.Object(
  {
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, description: 'default 100' })),
    plugin: Type.Optional(Type.String({ description: '<namespace>/<name>' })),
    node: Type.Optional(Type.String()),
  },
  { additionalProperties: false },
);

/** `/v1/nodes`, `/v1/modules`, `/v1/events`: what is observed, and can only be read. */
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
  app.get(
    '/v1/events',
    { schema: { tags: ['events'], querystring: EventQuery, response: answers({ 200: 'EventList' }) } },
    async request => {
      const { limit = 100, plugin, node } = request.query;
      const { records } = await context.store.list('Event');
      const items = records
        .toReversed()
        .filter(({ value }) => plugin === undefined || value.plugin === plugin)
        .filter(({ value }) => node === undefined || value.node === node)
        .slice(0, limit)
        .map(({ key, value }) => ({
          kind: 'Event',
          id: key,
          type: value.type,
          at: toTime(value.at),
          plugin: value.plugin ?? null,
          node: value.node ?? null,
          message: value.message,
        }));
      return { kind: 'EventList', items };
    },
  );
}
