import { Type } from 'typebox';
import { isEverything } from '../../model/scope.ts';
import { readVisible } from '../access/visible.ts';
import { type ApiContext, withCaller } from '../api-context.ts';
import { type ListOrder, matchesText, PAGE_QUERY, takePage } from '../page.ts';
import type { ModuleView } from '../schema/module-view.ts';
import { toModuleViews } from '../to-module-views.ts';
import { type ApiServer, answers, Q } from './route-schema.ts';

const ModuleListQuery = Type.Object({ q: Q, ...PAGE_QUERY }, { additionalProperties: false });
const NEWEST_FIRST: ListOrder<ModuleView> = {
  keyOf: ({ firstSeenAt, sha256 }) => `${firstSeenAt} ${sha256}`,
  order: 'falling',
};

/** `/v1/modules`: what nodes run, and what is kept. */
export function addModuleRoutes(app: ApiServer, context: ApiContext): void {
  app.get(
    '/v1/modules',
    { schema: { tags: ['modules'], querystring: ModuleListQuery, response: answers({ 200: 'ModuleList' }) } },
    async (request, reply) => {
      const { q } = request.query;
      const [fleet, revisions, storage] = await Promise.all([
        readVisible(withCaller(context, request)),
        context.store.list('Revision'),
        context.readModuleStorage(),
      ]);
      const all = toModuleViews(
        fleet,
        revisions.records
          .map(record => record.value)
          .filter(({ plugin }) => isEverything(request.caller.scope) || fleet.specs.has(plugin)),
        storage,
      );
      const wanted = all.filter(({ sha256, from }) => matchesText(q, [sha256, ...from]));
      const page = takePage(request, reply, context.clock, wanted, NEWEST_FIRST);
      const { usedBytes, quotaBytes } = storage;
      return { kind: 'ModuleList', ...page, storage: { usedBytes, quotaBytes } };
    },
  );
}
