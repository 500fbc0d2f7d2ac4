import { type PluginName, toPluginName } from '../../model/plugin-spec.ts';
import type { Revision } from '../../model/revision.ts';
import { revisionKey } from '../../store/record-kinds.ts';
import { readVisible } from '../access/visible.ts';
import { type ApiContext, withCaller } from '../api-context.ts';
import { ApiError } from '../api-error.ts';
import { toUnknownPlugin } from '../not-found.ts';
import { BY_KEY_FALLING, takePage } from '../page.ts';
import { diffRevisions } from '../plan-diff.ts';
import { Type } from '../schema/type.ts';
import { toRevisionView } from '../to-revision-view.ts';
import { type ApiServer, answers, ListQuery, NamespacedParams } from './route-schema.ts';

const PATH = '/v1/plugins/:namespace/:name';
const TAGS = ['plugins'];
const RevisionNumber = Type.Integer({ minimum: 1, maximum: 999_999_999, description: 'of a revision' });
const RevisionParams = Type.Object({ ...NamespacedParams.properties, number: RevisionNumber });
const DiffQuery = Type.Object({ from: RevisionNumber, to: RevisionNumber }, { additionalProperties: false });

/** Revisions of a plugin, one by one and against each other; they outlive their plugin. */
export function addRevisionRoutes(app: ApiServer, context: ApiContext): void {
  const { store, clock } = context;
  app.get(
    `${PATH}/revisions`,
    {
      schema: {
        tags: TAGS,
        params: NamespacedParams,
        querystring: ListQuery,
        response: answers({ 200: 'RevisionList' }),
      },
    },
    async (request, reply) => {
      const key = toPluginName(request.params);
      const fleet = await readVisible(withCaller(context, request));
      const { records } = await store.list('Revision', `${key}/`);
      if (records.length === 0 && !fleet.specs.has(key)) throw toUnknownPlugin(key);
      const page = takePage(request, reply, clock, records, BY_KEY_FALLING);
      const items = page.items.map(record => toRevisionView(fleet, record.value));
      return { kind: 'RevisionList', ...page, items };
    },
  );
  app.get(
    `${PATH}/revisions/:number`,
    { schema: { tags: TAGS, params: RevisionParams, response: answers({ 200: 'Revision' }) } },
    async request => {
      const revision = await find(context, toPluginName(request.params), request.params.number);
      return toRevisionView(await readVisible(withCaller(context, request)), revision);
    },
  );
  app.get(
    `${PATH}/diff`,
    {
      schema: {
        tags: TAGS,
        params: NamespacedParams,
        querystring: DiffQuery,
        response: answers({ 200: 'RevisionDiff' }),
      },
    },
    async request => {
      const plugin = toPluginName(request.params);
      const { from, to } = request.query;
      const changes = diffRevisions(await find(context, plugin, from), await find(context, plugin, to));
      return { kind: 'RevisionDiff', plugin, from, to, changes };
    },
  );
}

async function find({ store }: ApiContext, plugin: PluginName, number: number): Promise<Revision> {
  const stored = await store.get('Revision', revisionKey(plugin, number));
  if (stored !== undefined) return stored.value;
  throw new ApiError('not-found', `${plugin}: there is no revision ${number}, or it is not kept any more`, {
    hint: `GET /v1/plugins/${plugin}/revisions lists what there is.`,
  });
}
