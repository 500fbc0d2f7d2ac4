import { type JsonValue, toPluginName } from '../../model/plugin-spec.ts';
import { NOT_COUNTED } from '../../model/plugin-status.ts';
import { PRESETS } from '../../model/rollout-presets.ts';
import { readVisible } from '../access/visible.ts';
import { type ApiContext, withCaller } from '../api-context.ts';
import { applyPlugin } from '../apply-plugin.ts';
import { deletePlugin } from '../delete-plugin.ts';
import { findPlugin, isGone } from '../fleet.ts';
import { toUnknownPlugin } from '../not-found.ts';
import { BY_KEY, matchesText, takePage } from '../page.ts';
import { patchPlugin } from '../patch-plugin.ts';
import { statusOf } from '../plugin-status-of.ts';
import { toETag } from '../preconditions.ts';
import { RolloutPhaseWord } from '../schema/rollout-view.ts';
import { Type } from '../schema/type.ts';
import { toPluginView } from '../to-plugin-view.ts';
import { planDryRun } from './plans.ts';
import {
  type ApiServer,
  answers,
  DocumentBody,
  NamedListQuery,
  NamespacedParams,
  refuseWrong,
  toAppliedStatus,
  toPreconditions,
  WriteHeaders,
  WriteQuery,
} from './route-schema.ts';

const PluginListQuery = Type.Object(
  { ...NamedListQuery.properties, phase: Type.Optional(RolloutPhaseWord) },
  { additionalProperties: false },
);

const PluginWriteQuery = Type.Object(
  {
    ...WriteQuery.properties,
    preset: Type.Optional(
      Type.Union(
        PRESETS.map(preset => Type.Literal(preset)),
        { description: 'for the rollout that this document starts, and no later one' },
      ),
    ),
  },
  { additionalProperties: false },
);

const PluginDeleteQuery = Type.Object(
  {
    ...WriteQuery.properties,
    now: Type.Optional(Type.Boolean({ description: 'all nodes at once' })),
  },
  { additionalProperties: false },
);

const PATH = '/v1/plugins/:namespace/:name';

/** `/v1/plugins`: plugin documents, and how far they got. */
export function addPluginRoutes(app: ApiServer, context: ApiContext): void {
  const { store } = context;
  app.get(
    '/v1/plugins',
    { schema: { tags: ['plugins'], querystring: PluginListQuery, response: answers({ 200: 'PluginList' }) } },
    async (request, reply) => {
      const fleet = await readVisible(withCaller(context, request));
      const { namespace, phase, q } = request.query;
      const wanted = [...fleet.specs.values()]
        .filter(stored => matchesText(q, [stored.key]) && !isGone(fleet, stored))
        .filter(stored => namespace === undefined || stored.value.namespace === namespace)
        // What nodes say does not change the phase: no state of theirs is asked for.
        .filter(stored => phase === undefined || statusOf(fleet, stored, NOT_COUNTED).phase === phase);
      const page = takePage(request, reply, context.clock, wanted, BY_KEY);
      const items = await Promise.all(page.items.map(stored => toPluginView(store, fleet, stored)));
      return { kind: 'PluginList', ...page, items };
    },
  );
  app.get(
    PATH,
    { schema: { tags: ['plugins'], params: NamespacedParams, response: answers({ 200: 'Plugin' }) } },
    async (request, reply) => {
      const fleet = await readVisible(withCaller(context, request));
      const key = toPluginName(request.params);
      const stored = findPlugin(fleet, key);
      if (stored === undefined) throw toUnknownPlugin(key);
      reply.header('etag', toETag(stored.revision));
      return toPluginView(store, fleet, stored, { withNodes: true });
    },
  );
  addPluginWrites(app, context);
}

function addPluginWrites(app: ApiServer, context: ApiContext): void {
  app.put(
    PATH,
    {
      schema: {
        tags: ['plugins'],
        params: NamespacedParams,
        querystring: PluginWriteQuery,
        headers: WriteHeaders,
        body: DocumentBody,
        response: answers({ 200: 'PluginApplyAnswer', 201: 'PluginApplyAnswer' }),
      },
      attachValidation: true,
    },
    async (request, reply) => {
      refuseWrong(request.validationError, 'body');
      const caller = withCaller(context, request);
      const { message, preset } = request.query;
      const conditions = toPreconditions(request.headers);
      const answer = await applyPlugin(
        caller,
        { ...request.params, ...conditions, message, preset },
        request.body,
      );
      if (caller.dryRun) {
        const of = { body: request.body, namespace: request.params.namespace, preset };
        return reply.code(200).send({ ...answer, plan: await planDryRun(caller, reply.raw, of) });
      }
      reply.header('etag', toETag(Number(answer.metadata.resourceVersion)));
      return reply.code(toAppliedStatus(answer, caller.dryRun)).send(answer);
    },
  );
  app.patch(
    PATH,
    {
      schema: {
        tags: ['plugins'],
        params: NamespacedParams,
        querystring: PluginWriteQuery,
        headers: WriteHeaders,
        body: DocumentBody,
        response: answers({ 200: 'PluginApplyAnswer' }),
      },
      attachValidation: true,
    },
    async (request, reply) => {
      refuseWrong(request.validationError, 'body');
      const caller = withCaller(context, request);
      const { message, preset } = request.query;
      const target = { ...request.params, ...toPreconditions(request.headers), message, preset };
      const { document, answer } = await patchPlugin(caller, target, request.body as JsonValue);
      if (caller.dryRun) {
        const of = { body: document, namespace: request.params.namespace, preset };
        return reply.send({ ...answer, plan: await planDryRun(caller, reply.raw, of) });
      }
      reply.header('etag', toETag(Number(answer.metadata.resourceVersion)));
      return reply.send(answer);
    },
  );
  app.delete(
    PATH,
    {
      schema: {
        tags: ['plugins'],
        params: NamespacedParams,
        querystring: PluginDeleteQuery,
        headers: WriteHeaders,
        response: answers({ 200: 'Deleted', 202: 'Deleted' }),
      },
    },
    async (request, reply) => {
      const caller = withCaller(context, request);
      const { message, now = false } = request.query;
      const conditions = toPreconditions(request.headers);
      const { removed, answer } = await deletePlugin(caller, {
        ...request.params,
        ...conditions,
        message,
        now,
      });
      if (caller.dryRun) {
        const of = { kind: 'delete', type: undefined, ...request.params, now } as const;
        return reply.code(200).send({ ...answer, plan: await planDryRun(caller, reply.raw, of) });
      }
      return reply.code(removed ? 200 : 202).send(answer);
    },
  );
}
