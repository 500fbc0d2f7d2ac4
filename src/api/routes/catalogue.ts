import type { CatalogueItem, SearchCatalogue } from '../../model/catalogue.ts';
import type { ApiContext } from '../api-context.ts';
import { type ListOrder, PAGE_QUERY, takePage } from '../page.ts';
import type { CatalogueItemView } from '../schema/catalogue-view.ts';
import { toTime } from '../schema/metadata.ts';
import { Type } from '../schema/type.ts';
import { type ApiServer, answers } from './route-schema.ts';

const CatalogueQuery = Type.Object(
  {
    q: Type.Optional(
      Type.String({
        maxLength: 200,
        description:
          'words that all occur in name, tags or annotations; licenses=mit in that annotation only',
      }),
    ),
    ...PAGE_QUERY,
  },
  { additionalProperties: false },
);

/** And there what was pushed last first. */
const BY_REPOSITORY: ListOrder<CatalogueItem> = {
  keyOf: ({ repository, pushedAt = 0, digest }) =>
    `${repository} ${String(Number.MAX_SAFE_INTEGER - pushedAt).padStart(16, '0')} ${digest}`,
  order: 'rising',
};

/** `/v1/catalogue`: what is in the built-in registry; nothing where there is none. */
export function addCatalogueRoutes(
  app: ApiServer,
  { clock }: ApiContext,
  search: SearchCatalogue | undefined,
): void {
  app.get(
    '/v1/catalogue',
    {
      schema: { tags: ['modules'], querystring: CatalogueQuery, response: answers({ 200: 'CatalogueList' }) },
    },
    async (request, reply) => {
      const found = await search?.({ text: request.query.q ?? '', limit: Number.POSITIVE_INFINITY });
      const all = found?.items ?? [];
      const page = takePage(request, reply, clock, all, BY_REPOSITORY);
      return {
        kind: 'CatalogueList',
        ...page,
        items: page.items.map(toCatalogueItemView),
        total: all.length,
      };
    },
  );
}

function toCatalogueItemView({ pushedAt, artifactType, ...item }: CatalogueItem): CatalogueItemView {
  return {
    kind: 'CatalogueItem',
    ...item,
    tags: [...item.tags],
    artifactType: artifactType ?? null,
    pushedAt: pushedAt === undefined ? null : toTime(pushedAt),
  };
}
