import { isVisible } from '../access/visible.ts';
import type { ApiContext } from '../api-context.ts';
import { BY_KEY, matchesText, takePage } from '../page.ts';
import { toETag } from '../preconditions.ts';
import {
  applyPullSecret,
  deletePullSecret,
  findPullSecret,
  listPlugins,
  toPullSecretView,
} from '../pull-secrets.ts';
import { addDocumentWrites } from './document-writes.ts';
import { type ApiServer, answers, NamedListQuery, NamespacedParams } from './route-schema.ts';

const PATH = '/v1/pullsecrets/:namespace/:name';
const TAGS = ['pullsecrets'];

/** `/v1/pullsecrets`: credentials of registries; they go in and never come out. */
export function addPullSecretRoutes(app: ApiServer, context: ApiContext): void {
  app.get(
    '/v1/pullsecrets',
    { schema: { tags: TAGS, querystring: NamedListQuery, response: answers({ 200: 'PullSecretList' }) } },
    async (request, reply) => {
      const { namespace, q } = request.query;
      const [{ records }, plugins] = await Promise.all([
        context.store.list('PullSecret', namespace === undefined ? '' : `${namespace}/`),
        listPlugins(context),
      ]);
      const wanted = records
        .filter(({ value }) =>
          isVisible(request.caller, { kind: 'pullsecret', ...value }, context.rootNamespace),
        )
        .filter(({ key }) => matchesText(q, [key]));
      const page = takePage(request, reply, context.clock, wanted, BY_KEY);
      const items = page.items.map(stored => toPullSecretView(stored, plugins));
      return { kind: 'PullSecretList', ...page, items };
    },
  );
  app.get(
    PATH,
    { schema: { tags: TAGS, params: NamespacedParams, response: answers({ 200: 'PullSecret' }) } },
    async (request, reply) => {
      const stored = await findPullSecret(context, request.params);
      reply.header('etag', toETag(stored.revision));
      return toPullSecretView(stored, await listPlugins(context));
    },
  );
  addDocumentWrites(app, context, {
    path: PATH,
    tags: TAGS,
    answer: 'PullSecretApplyAnswer',
    apply: applyPullSecret,
    remove: deletePullSecret,
  });
}
