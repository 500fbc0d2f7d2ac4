import { type ApiContext, withCaller } from '../api-context.ts';
import { BY_KEY, takePage } from '../page.ts';
import { toETag } from '../preconditions.ts';
import { Type } from '../schema/type.ts';
import { WebhookBody } from '../schema/webhook-view.ts';
import { listWebhooks, putWebhook, readWebhook, removeWebhook, testWebhook } from '../webhooks.ts';
import { whileAwaited } from './caller-signal.ts';
import {
  type ApiServer,
  answers,
  DryRunQuery,
  ListQuery,
  toAppliedStatus,
  toPreconditions,
  WriteHeaders,
  WriteQuery,
} from './route-schema.ts';

const PATH = '/v1/webhooks/:name';
const TAGS = ['webhooks'];
const params = Type.Object({ name: Type.String() });

/** `/v1/webhooks`: who is told what rollouts come to. */
export function addWebhookRoutes(app: ApiServer, context: ApiContext): void {
  app.get(
    '/v1/webhooks',
    { schema: { tags: TAGS, querystring: ListQuery, response: answers({ 200: 'WebhookList' }) } },
    async (request, reply) => {
      const page = takePage(request, reply, context.clock, await listWebhooks(context), BY_KEY);
      return { kind: 'WebhookList', ...page, items: page.items.map(({ view }) => view) };
    },
  );
  app.get(
    PATH,
    { schema: { tags: TAGS, params, response: answers({ 200: 'Webhook' }) } },
    async (request, reply) => {
      const view = await readWebhook(context, request.params.name);
      reply.header('etag', toETag(Number(view.resourceVersion)));
      return view;
    },
  );
  const write = { tags: TAGS, params, querystring: WriteQuery, headers: WriteHeaders };
  app.put(
    PATH,
    {
      schema: {
        ...write,
        body: WebhookBody,
        response: answers({ 200: 'WebhookApplyAnswer', 201: 'WebhookApplyAnswer' }),
      },
    },
    async (request, reply) => {
      const caller = withCaller(context, request);
      const { message } = request.query;
      const target = { ...request.params, ...toPreconditions(request.headers), message };
      const answer = await putWebhook(caller, target, request.body);
      // Nobody between may keep it.
      reply.header('cache-control', 'no-store');
      if (!caller.dryRun) reply.header('etag', toETag(Number(answer.resourceVersion)));
      return reply.code(toAppliedStatus(answer, caller.dryRun)).send(answer);
    },
  );
  app.delete(PATH, { schema: { ...write, response: answers({ 200: 'WebhookRemoved' }) } }, request =>
    removeWebhook(withCaller(context, request), {
      ...request.params,
      ...toPreconditions(request.headers),
      message: request.query.message,
    }),
  );
  app.post(
    `${PATH}/test`,
    { schema: { tags: TAGS, params, querystring: DryRunQuery, response: answers({ 200: 'WebhookTested' }) } },
    (request, reply) =>
      whileAwaited(reply.raw, signal =>
        testWebhook(withCaller(context, request), request.params.name, signal),
      ),
  );
}
