import { Type } from 'typebox';
import { type ApiContext, readNow } from '../api-context.ts';
import { ApiError } from '../api-error.ts';
import { toNodeChains } from '../node-chains.ts';
import { excludeNode, forgetNode, includeNode } from '../node-policy.ts';
import { MessageBody } from '../schema/freeze-view.ts';
import { toModuleViews } from '../to-module-views.ts';
import { toNodeView } from '../to-node-view.ts';
import { type ApiServer, answers, orNothing } from './route-schema.ts';

const NodeParams = Type.Object({ id: Type.String() });
const NodeQuery = Type.Object(
  { message: Type.Optional(Type.String({ maxLength: 1024, description: 'why' })) },
  { additionalProperties: false },
);

/** `/v1/nodes`, `/v1/modules`: what is observed; nodes can be taken out of rollouts, and forgotten. */
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
        params: NodeParams,
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
      const view = toNodeView(fleet, presence, true);
      const { records } = await context.store.list('ResourceSpec', 'listeners/');
      const chains = toNodeChains(
        fleet,
        presence,
        records.map(record => record.value),
      );
      return { ...view, status: { ...view.status, chains } };
    },
  );
  addNodeVerbs(app, context);
  app.get(
    '/v1/modules',
    { schema: { tags: ['modules'], response: answers({ 200: 'ModuleList' }) } },
    async () => {
      const [fleet, revisions, storage] = await Promise.all([
        readNow(context),
        context.store.list('Revision'),
        context.readModuleStorage(),
      ]);
      const items = toModuleViews(
        fleet,
        revisions.records.map(record => record.value),
        storage,
      );
      const { usedBytes, quotaBytes } = storage;
      return { kind: 'ModuleList', items, storage: { usedBytes, quotaBytes } };
    },
  );
}

function addNodeVerbs(app: ApiServer, context: ApiContext): void {
  const schema = { tags: ['nodes'], params: NodeParams, response: answers({ 200: 'NodeAnswer' }) };
  const path = '/v1/nodes/:id/exclusion';
  app.put(path, { schema: { ...schema, body: orNothing(MessageBody) } }, request =>
    excludeNode(context, request.params.id, request.body?.message),
  );
  app.delete(path, { schema }, request => includeNode(context, request.params.id));
  app.delete(
    '/v1/nodes/:id',
    {
      schema: {
        ...schema,
        querystring: NodeQuery,
        response: answers({ 200: 'NodeAnswer', 202: 'NodeAnswer' }),
      },
    },
    async (request, reply) => {
      const { answer, done } = await forgetNode(context, request.params.id, request.query.message);
      return reply.code(done ? 200 : 202).send(answer);
    },
  );
}
