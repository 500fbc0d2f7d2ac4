import { type ApiContext, readNow } from '../api-context.ts';
import { applyNodeGroup, deleteNodeGroup, findNodeGroup, toNodeGroupView } from '../node-groups.ts';
import { BY_KEY, matchesText, takePage } from '../page.ts';
import { toETag } from '../preconditions.ts';
import { addDocumentWrites } from './document-writes.ts';
import { type ApiServer, answers, NamedListQuery, NamespacedParams } from './route-schema.ts';

const PATH = '/v1/nodegroups/:namespace/:name';
const TAGS = ['nodegroups'];

/** `/v1/nodegroups`: nodes under a name, for targetRefs. */
export function addNodeGroupRoutes(app: ApiServer, context: ApiContext): void {
  app.get(
    '/v1/nodegroups',
    { schema: { tags: TAGS, querystring: NamedListQuery, response: answers({ 200: 'NodeGroupList' }) } },
    async (request, reply) => {
      const { namespace, q } = request.query;
      const [{ records }, fleet] = await Promise.all([
        context.store.list('NodeGroup', namespace === undefined ? '' : `${namespace}/`),
        readNow(context),
      ]);
      const wanted = records.filter(({ key }) => matchesText(q, [key]));
      const page = takePage(request, reply, context.clock, wanted, BY_KEY);
      const items = page.items.map(stored => toNodeGroupView(stored, fleet));
      return { kind: 'NodeGroupList', ...page, items };
    },
  );
  app.get(
    PATH,
    { schema: { tags: TAGS, params: NamespacedParams, response: answers({ 200: 'NodeGroup' }) } },
    async (request, reply) => {
      const stored = await findNodeGroup(context, request.params);
      reply.header('etag', toETag(stored.revision));
      return toNodeGroupView(stored, await readNow(context));
    },
  );
  addDocumentWrites(app, context, {
    path: PATH,
    tags: TAGS,
    answer: 'NodeGroupApplyAnswer',
    apply: applyNodeGroup,
    remove: deleteNodeGroup,
  });
}
