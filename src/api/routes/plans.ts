import type { ServerResponse } from 'node:http';
import { PRESETS } from '../../model/rollout-presets.ts';
import { type ApiContext, type CallContext, withCaller } from '../api-context.ts';
import { ApiError } from '../api-error.ts';
import { planDocuments, planOnePlugin } from '../plan-documents.ts';
import { type PlanDelete, readPlanRequest } from '../plan-request.ts';
import { withPathNamespace } from '../read-document.ts';
import type { PluginPlan } from '../schema/plan-view.ts';
import { Type } from '../schema/type.ts';
import { whileAwaited } from './caller-signal.ts';
import { type ApiServer, answers, refuseWrong } from './route-schema.ts';

const PlanQuery = Type.Object(
  {
    preset: Type.Optional(
      Type.Union(
        PRESETS.map(preset => Type.Literal(preset)),
        { description: 'for the rollouts that these documents would start' },
      ),
    ),
    modules: Type.Optional(
      Type.Boolean({ description: 'default true; false: no module is fetched, only documents are planned' }),
    ),
  },
  { additionalProperties: false },
);

/** A document, a list, or `{documents}`: checked by its own parser, which says where and why. */
const PlanBody = Type.Union([
  Type.Object({}, { additionalProperties: true, description: 'a document, or {documents: […]}' }),
  Type.Array(Type.Unknown(), { description: 'documents, and {delete: {kind, namespace, name}}' }),
]);

const BODY_LIMIT = 8 * 1024 * 1024;

/** `/v1/plans`: what documents would do, everything but the doing. */
export function addPlanRoutes(app: ApiServer, context: ApiContext): void {
  app.post(
    '/v1/plans',
    {
      schema: {
        tags: ['plans'],
        querystring: PlanQuery,
        body: PlanBody,
        response: answers({ 200: 'Plan' }),
      },
      attachValidation: true,
      bodyLimit: BODY_LIMIT,
    },
    async (request, reply) => {
      refuseWrong(request.validationError, 'body');
      const { preset, modules = true } = request.query;
      const caller = withCaller(context, request);
      const items = readPlanRequest(request.body);
      return whileAwaited(reply.raw, signal => planDocuments(caller, items, { preset, modules, signal }));
    },
  );
}

/** What the dry run of a PUT (its document) or DELETE (the path) of a plugin answers beside the rest. */
export function planDryRun(
  context: CallContext,
  response: ServerResponse,
  of:
    | { readonly body: unknown; readonly namespace: string; readonly preset: string | undefined }
    | PlanDelete,
): Promise<PluginPlan> {
  const [item] = 'body' in of ? readPlanRequest(withPathNamespace(of.body, of.namespace)) : [of];
  if (item?.kind !== 'plugin' && item?.kind !== 'delete')
    throw new ApiError('name-mismatch', 'the document is no plugin');
  const preset = 'preset' in of ? of.preset : undefined;
  return whileAwaited(response, signal => planOnePlugin(context, item, { preset, modules: true, signal }));
}
