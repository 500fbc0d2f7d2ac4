import { type ApiContext, readNow } from '../api-context.ts';
import { toModuleViews } from '../to-module-views.ts';
import { type ApiServer, answers } from './route-schema.ts';

/** `/v1/modules`: what nodes run, and what is kept. */
export function addModuleRoutes(app: ApiServer, context: ApiContext): void {
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
