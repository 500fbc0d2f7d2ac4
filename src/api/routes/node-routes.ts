import { type LabelCondition, matchesLabels, parseLabelSelector } from '../../model/label-selector.ts';
import type { NodePresence } from '../../model/node.ts';
import { LOG_LEVELS } from '../../model/node-access.ts';
import type { NodeConfig } from '../../model/node-config.ts';
import { XDS_TYPES } from '../../model/type-url.ts';
import { readVisible } from '../access/visible.ts';
import { type ApiContext, type CallContext, withCaller } from '../api-context.ts';
import { ApiError } from '../api-error.ts';
import type { Fleet } from '../fleet.ts';
import { findLeftOut } from '../left-out.ts';
import { makeNodeBundle } from '../node-bundle.ts';
import { toNodeChains } from '../node-chains.ts';
import { readLogLevel, readNodeLogs, setLogLevel } from '../node-logs.ts';
import { excludeNode, forgetNode, includeNode } from '../node-policy.ts';
import { configureNode, NodeSettingsPatch } from '../node-settings.ts';
import { toUnknownNode } from '../not-found.ts';
import { matchesText, takePage } from '../page.ts';
import { toETag } from '../preconditions.ts';
import { readExtensions } from '../read-extensions.ts';
import { MessageBody } from '../schema/freeze-view.ts';
import type { NodeView } from '../schema/node-view.ts';
import { Type } from '../schema/type.ts';
import { toNodeConfigView, toNodeResources } from '../to-node-resources.ts';
import { toNodeView } from '../to-node-view.ts';
import {
  type ApiServer,
  answers,
  DryRunQuery,
  NamedListQuery,
  orNothing,
  toPreconditions,
  WriteHeaders,
  WriteQuery,
} from './route-schema.ts';

export const NodeParams = Type.Object({ id: Type.String({ description: 'node.id' }) });
const NodeListQuery = Type.Object(
  {
    ...NamedListQuery.properties,
    labelSelector: Type.Optional(
      Type.String({
        maxLength: 1024,
        description: 'k=v, k!=v, k, !k, with commas between: all of them hold',
      }),
    ),
  },
  { additionalProperties: false },
);
const ConfigQuery = Type.Object(
  {
    type: Type.Optional(
      Type.Union(
        XDS_TYPES.map(({ plural }) => Type.Literal(plural)),
        { description: 'only this one' },
      ),
    ),
  },
  { additionalProperties: false },
);
const LogsQuery = Type.Object(
  { lines: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'default 50' })) },
  { additionalProperties: false },
);
const LogLevelBody = Type.Object(
  { level: Type.Union(LOG_LEVELS.map(level => Type.Literal(level))) },
  { additionalProperties: false },
);

/** `/v1/nodes`: what is known of Envoys, and what the server side says of them. */
export function addNodeRoutes(app: ApiServer, context: ApiContext): void {
  const { nodes, clock } = context;
  const schema = { tags: ['nodes'], params: NodeParams };
  app.get(
    '/v1/nodes',
    { schema: { tags: ['nodes'], querystring: NodeListQuery, response: answers({ 200: 'NodeList' }) } },
    async (request, reply) => {
      const { namespace, q, labelSelector } = request.query;
      const conditions = readLabelSelector(labelSelector);
      const fleet = await readVisible(withCaller(context, request));
      const wanted = fleet.nodes
        .filter(({ node }) => namespace === undefined || node.namespace === namespace)
        .filter(({ node }) => matchesText(q, [node.id]) && matchesLabels(conditions, node.labels));
      const order = { keyOf: ({ node }: NodePresence) => node.id, order: 'rising' } as const;
      const page = takePage(request, reply, clock, wanted, order);
      const extensions = await readExtensions(context.store);
      const items = page.items.map(presence => toNodeView(fleet, extensions, presence));
      return { kind: 'NodeList', ...page, items };
    },
  );
  app.get(
    '/v1/nodes/:id',
    { schema: { ...schema, response: answers({ 200: 'Node' }) } },
    async (request, reply) => {
      const found = await find(withCaller(context, request), request.params.id);
      const policy = await context.store.get('NodePolicy', request.params.id);
      reply.header('etag', toETag(policy?.revision ?? 0));
      return readNodeView(withCaller(context, request), found);
    },
  );
  app.get(
    '/v1/nodes/:id/config',
    { schema: { ...schema, querystring: ConfigQuery, response: answers({ 200: 'NodeConfig' }) } },
    async request => {
      const { presence, config } = await find(withCaller(context, request), request.params.id);
      const { connected } = presence;
      return toNodeConfigView(config, {
        show: nodes.show,
        connected,
        now: clock.now(),
        type: request.query.type,
      });
    },
  );
  app.get(
    '/v1/nodes/:id/bundle',
    { schema: { ...schema, response: answers({ 200: 'NodeBundle' }) } },
    async request => {
      const found = await find(withCaller(context, request), request.params.id);
      const { presence } = found;
      const options = { show: nodes.show, connected: presence.connected, now: clock.now(), type: undefined };
      const config = await toNodeConfigView(found.config, options);
      const caller = withCaller(context, request);
      return makeNodeBundle(caller, { presence, config, node: await readNodeView(caller, found) });
    },
  );
  addPolicyRoutes(app, context);
  addLogRoutes(app, context);
}

function addPolicyRoutes(app: ApiServer, context: ApiContext): void {
  const schema = { tags: ['nodes'], params: NodeParams, response: answers({ 200: 'NodeAnswer' }) };
  app.patch(
    '/v1/nodes/:id',
    { schema: { ...schema, querystring: DryRunQuery, headers: WriteHeaders, body: NodeSettingsPatch } },
    request =>
      configureNode(
        withCaller(context, request),
        request.params.id,
        request.body,
        toPreconditions(request.headers),
      ),
  );
  const path = '/v1/nodes/:id/exclusion';
  app.put(
    path,
    { schema: { ...schema, querystring: DryRunQuery, headers: WriteHeaders, body: orNothing(MessageBody) } },
    request =>
      excludeNode(withCaller(context, request), request.params.id, {
        ...toPreconditions(request.headers),
        message: request.body?.message,
      }),
  );
  app.delete(path, { schema: { ...schema, querystring: WriteQuery, headers: WriteHeaders } }, request =>
    includeNode(withCaller(context, request), request.params.id, {
      ...toPreconditions(request.headers),
      message: request.query.message,
    }),
  );
  app.delete(
    '/v1/nodes/:id',
    {
      schema: {
        ...schema,
        querystring: WriteQuery,
        headers: WriteHeaders,
        response: answers({ 200: 'NodeAnswer', 202: 'NodeAnswer' }),
      },
    },
    async (request, reply) => {
      const { answer, done } = await forgetNode(withCaller(context, request), request.params.id, {
        ...toPreconditions(request.headers),
        message: request.query.message,
      });
      return reply.code(done ? 200 : 202).send(answer);
    },
  );
}

function addLogRoutes(app: ApiServer, context: ApiContext): void {
  const schema = { tags: ['nodes'], params: NodeParams };
  const path = '/v1/nodes/:id/log-level';
  const response = answers({ 200: 'NodeLogLevel' });
  app.get(path, { schema: { ...schema, response } }, request => readLogLevel(context, request.params.id));
  const write = { ...schema, querystring: DryRunQuery, body: LogLevelBody, response };
  app.put(path, { schema: write }, request =>
    setLogLevel(withCaller(context, request), request.params.id, request.body.level),
  );
  app.get(
    '/v1/nodes/:id/logs',
    { schema: { ...schema, querystring: LogsQuery, response: answers({ 200: 'NodeLogs' }) } },
    request => readNodeLogs(context, request.params.id, request.query.lines ?? 50),
  );
}

function readLabelSelector(text: string | undefined): readonly LabelCondition[] {
  if (text === undefined) return [];
  const conditions = parseLabelSelector(text);
  if (conditions !== undefined) return conditions;
  throw new ApiError('bad-query', `labelSelector=${text}: expected k=v, k!=v, k or !k, with commas between`);
}

interface Found {
  readonly fleet: Fleet;
  readonly presence: NodePresence;
  readonly config: NodeConfig;
}

async function find(context: CallContext, id: string): Promise<Found> {
  const fleet = await readVisible(context);
  const presence = fleet.nodes.find(known => known.node.id === id);
  if (presence === undefined) throw toUnknownNode(id);
  // A node that was forgotten a moment ago has no resources.
  const config = context.nodes.readConfig(id) ?? { node: presence.node, resources: [] };
  return { fleet, presence, config };
}

async function readNodeView(context: CallContext, { fleet, presence, config }: Found): Promise<NodeView> {
  const resources = (await context.store.list('ResourceSpec')).records.map(record => record.value);
  const extensions = resources.filter(({ type }) => type === 'extensions');
  const view = toNodeView(fleet, extensions, presence, true);
  const listeners = resources.filter(({ type }) => type === 'listeners');
  const chains = toNodeChains(fleet, presence, listeners);
  // What is no plugin is no business of whoever has some plugins only.
  if (context.caller.scope.plugins !== undefined)
    return { ...view, status: { ...view.status, chains, resources: [] } };
  const warnings = [...view.status.warnings, ...findLeftOut(context, presence.node, resources)];
  return { ...view, status: { ...view.status, chains, resources: toNodeResources(config), warnings } };
}
