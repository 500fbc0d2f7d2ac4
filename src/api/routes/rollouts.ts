import { toPluginName } from '../../model/plugin-spec.ts';
import { isActive, type Rollout } from '../../model/rollout.ts';
import { readVisible } from '../access/visible.ts';
import { type ApiContext, withCaller } from '../api-context.ts';
import { askRollout } from '../ask-rollout.ts';
import { findRollout } from '../find-rollout.ts';
import { toUnknownPlugin } from '../not-found.ts';
import { type ListOrder, matchesText, PAGE_QUERY, takePage } from '../page.ts';
import { toAlreadyBackAnswer, toDryRunAnswer, toRolloutAnswer } from '../rollout-answer.ts';
import { makeRolloutBundle } from '../rollout-bundle.ts';
import { readRolloutFacts } from '../rollout-facts.ts';
import { readHistory } from '../rollout-history.ts';
import { toTime } from '../schema/metadata.ts';
import { type HistoryRow, RolloutActionBody, RolloutPhaseWord, UndoBody } from '../schema/rollout-view.ts';
import { Type } from '../schema/type.ts';
import { toRolloutView } from '../to-rollout-view.ts';
import { undoPlugin } from '../undo-plugin.ts';
import {
  type ApiServer,
  answers,
  DryRunQuery,
  ListQuery,
  NamespacedParams,
  orNothing,
  Q,
} from './route-schema.ts';

const RolloutParams = Type.Object({
  id: Type.String({ description: '`namespace.plugin.number`, or `namespace.plugin.latest`' }),
});

const RolloutQuery = Type.Object(
  {
    plugin: Type.Optional(Type.String({ description: '<namespace>/<name>' })),
    phase: Type.Optional(RolloutPhaseWord),
    active: Type.Optional(Type.Boolean({ description: 'only those under way, or only ended ones' })),
    q: Q,
    ...PAGE_QUERY,
  },
  { additionalProperties: false },
);

const HISTORY_ORDER: ListOrder<HistoryRow> = {
  keyOf: ({ number }) => String(number).padStart(9, '0'),
  order: 'falling',
};
const NEWEST_FIRST: ListOrder<Rollout> = {
  keyOf: ({ startedAt, number, plugin }) =>
    `${toTime(startedAt)} ${String(number).padStart(9, '0')} ${plugin}`,
  order: 'falling',
};

const VERBS = ['pause', 'resume', 'promote', 'abort', 'retry'] as const;

/** `/v1/rollouts`, their verbs, and what belongs to one plugin: its history, and undo. */
export function addRolloutRoutes(app: ApiServer, context: ApiContext): void {
  const { store } = context;
  app.get(
    '/v1/rollouts',
    { schema: { tags: ['rollouts'], querystring: RolloutQuery, response: answers({ 200: 'RolloutList' }) } },
    async (request, reply) => {
      const { plugin, phase, active, q } = request.query;
      const fleet = await readVisible(withCaller(context, request));
      const wanted = [...fleet.rollouts.values()]
        .flat()
        .filter(one => plugin === undefined || one.plugin === plugin)
        .filter(one => phase === undefined || one.phase === phase)
        .filter(one => active === undefined || isActive(one) === active)
        .filter(one => matchesText(q, [one.plugin]));
      const page = takePage(request, reply, context.clock, wanted, NEWEST_FIRST);
      const items = await Promise.all(
        page.items.map(async one => toRolloutView(await readRolloutFacts(store, fleet, one, false), false)),
      );
      return { kind: 'RolloutList', ...page, items };
    },
  );
  app.get(
    '/v1/rollouts/:id',
    { schema: { tags: ['rollouts'], params: RolloutParams, response: answers({ 200: 'Rollout' }) } },
    async request => {
      const { rollout } = await findRollout(store, request.params.id);
      const fleet = await readVisible(withCaller(context, request));
      return toRolloutView(await readRolloutFacts(store, fleet, rollout));
    },
  );
  app.get(
    '/v1/rollouts/:id/bundle',
    { schema: { tags: ['rollouts'], params: RolloutParams, response: answers({ 200: 'RolloutBundle' }) } },
    async request =>
      makeRolloutBundle(withCaller(context, request), (await findRollout(store, request.params.id)).rollout),
  );
  for (const action of VERBS)
    app.post(
      `/v1/rollouts/:id/${action}`,
      {
        schema: {
          tags: ['rollouts'],
          params: RolloutParams,
          querystring: DryRunQuery,
          body: orNothing(RolloutActionBody),
          response: answers({ 200: 'RolloutAnswer', 202: 'RolloutAnswer' }),
        },
      },
      async (request, reply) => {
        const body = request.body ?? {};
        const caller = withCaller(context, request);
        const asked = await askRollout(caller, request.params.id, action, body);
        if ('planned' in asked) return toDryRunAnswer(caller, action, asked);
        const answer = await toRolloutAnswer(caller, action, asked, body);
        return reply.code(answer.outcome === 'accepted' ? 202 : 200).send(answer);
      },
    );
  addPluginParts(app, context);
}

function addPluginParts(app: ApiServer, context: ApiContext): void {
  const PATH = '/v1/plugins/:namespace/:name';
  app.get(
    `${PATH}/rollouts`,
    {
      schema: {
        tags: ['rollouts'],
        params: NamespacedParams,
        querystring: ListQuery,
        response: answers({ 200: 'RolloutHistory' }),
      },
    },
    async (request, reply) => {
      const plugin = toPluginName(request.params);
      const fleet = await readVisible(withCaller(context, request));
      const rows = await readHistory(context.store, fleet, plugin);
      // History outlives a plugin that was deleted.
      if (rows.length === 0 && !fleet.specs.has(plugin)) throw toUnknownPlugin(plugin);
      return { kind: 'RolloutHistory', ...takePage(request, reply, context.clock, rows, HISTORY_ORDER) };
    },
  );
  app.post(
    `${PATH}/undo`,
    {
      schema: {
        tags: ['rollouts'],
        params: NamespacedParams,
        querystring: DryRunQuery,
        body: orNothing(UndoBody),
        response: answers({ 200: 'RolloutAnswer', 202: 'RolloutAnswer' }),
      },
    },
    async (request, reply) => {
      const body = request.body ?? {};
      const caller = withCaller(context, request);
      const undone = await undoPlugin(caller, toPluginName(request.params), body);
      if ('alreadyBack' in undone) return toAlreadyBackAnswer(caller, undone.alreadyBack, undone.newest);
      if ('planned' in undone) return toDryRunAnswer(caller, 'undo', undone);
      const answer = await toRolloutAnswer(caller, 'undo', undone, body);
      return reply.code(answer.outcome === 'accepted' ? 202 : 200).send(answer);
    },
  );
}
