import { Type } from 'typebox';
import type { CatalogueItem, SearchCatalogue } from '../../model/catalogue.ts';
import type { CatalogueItemView } from '../schema/catalogue-view.ts';
import { toTime } from '../schema/metadata.ts';
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
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 200 })),
  },
  { additionalProperties: false },
);

/** `/v1/catalogue`: what is in the built-in registry; nothing where there is none. */
export function addCatalogueRoutes(app: ApiServer, search: SearchCatalogue | undefined): void {
  app.get(
    '/v1/catalogue',
    {
      schema: { tags: ['modules'], querystring: CatalogueQuery, response: answers({ 200: 'CatalogueList' }) },
    },
    async request => {
      const { q = '', limit = 200 } = request.query;
      const { items, total } = (await search?.({ text: q, limit })) ?? { items: [], total: 0 };
      return { kind: 'CatalogueList', items: items.map(toCatalogueItemView), total };
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
