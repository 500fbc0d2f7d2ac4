import { isEverything } from '../../model/scope.ts';
import { readVisible } from '../access/visible.ts';
import { type ApiContext, type CallContext, withCaller } from '../api-context.ts';
import { ApiError } from '../api-error.ts';
import { toModuleReport } from '../module-report.ts';
import { type ListOrder, matchesText, PAGE_QUERY, takePage } from '../page.ts';
import type { ModuleView } from '../schema/module-view.ts';
import { Type } from '../schema/type.ts';
import { toModuleViews } from '../to-module-views.ts';
import { type ApiServer, answers, Q } from './route-schema.ts';

const ModuleListQuery = Type.Object({ q: Q, ...PAGE_QUERY }, { additionalProperties: false });
const ModuleParams = Type.Object({
  digest: Type.String({ description: 'sha256 of the bytes in hex, with `sha256:` before it or without' }),
});
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
  const PATH = '/v1/modules/:digest';
  app.get(
    PATH,
    { schema: { tags: ['modules'], params: ModuleParams, response: answers({ 200: 'Module' }) } },
    async request => {
      const { fleet, revisions } = await find(withCaller(context, request), request.params.digest);
      const [view] = toModuleViews(fleet, revisions, await context.readModuleStorage());
      return view;
    },
  );
  app.get(
    `${PATH}/report`,
    { schema: { tags: ['modules'], params: ModuleParams, response: answers({ 200: 'ModuleReport' }) } },
    async request => {
      const { sha256, revisions } = await find(withCaller(context, request), request.params.digest);
      return toModuleReport(sha256, await context.inspectModule(sha256), revisions);
    },
  );
}

/** The revisions of a module that the caller may see. Throws `not-found`. */
async function find(context: CallContext, digest: string) {
  const sha256 = digest.replace(/^sha256:/, '');
  const [fleet, all] = await Promise.all([readVisible(context), context.store.list('Revision')]);
  const revisions = all.records
    .map(({ value }) => value)
    .filter(({ module }) => module.sha256 === sha256)
    .filter(({ plugin }) => isEverything(context.caller.scope) || fleet.specs.has(plugin));
  if (revisions.length === 0)
    throw new ApiError('not-found', `there is no module ${digest}`, {
      hint: 'attache get modules lists them.',
    });
  return { fleet, sha256, revisions };
}
