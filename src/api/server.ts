import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { fastifyHelmet } from '@fastify/helmet';
import { fastifyRateLimit } from '@fastify/rate-limit';
import { fastify } from 'fastify';
import type { SearchCatalogue } from '../model/catalogue.ts';
import { toMessage } from '../model/error.ts';
import type { Meter } from '../model/meter.ts';
import type { PortTls } from '../model/server-tls.ts';
import { createDenialLog } from '../store/denial-log.ts';
import type { ApiAuth } from './access/authenticate.ts';
import { addGuard } from './access/guard.ts';
import { type ApiContext, createExclusive } from './api-context.ts';
import { ApiError } from './api-error.ts';
import { addBodyParsers } from './body-parsers.ts';
import { createHttpServer, refuseUnreadable, sendProblem, toRequestId } from './http-server.ts';
import { noteRoutes, type RequestRoutes } from './metrics/count-requests.ts';
import type { Scrape } from './metrics/create-scrape.ts';
import { describeRoutes } from './openapi/describe-routes.ts';
import { keepDeletedPurged } from './purge-deleted.ts';
import { addRequestHooks } from './request-hooks.ts';
import { createCompilers } from './request-validators.ts';
import { addAuditRoutes } from './routes/audit.ts';
import { addBackupRoute } from './routes/backup-route.ts';
import { addCatalogueRoutes } from './routes/catalogue.ts';
import { addConvertRoutes } from './routes/convert.ts';
import { addEventRoutes } from './routes/events.ts';
import { addFreezeRoutes } from './routes/freeze.ts';
import { addMetricsRoute } from './routes/metrics-route.ts';
import { addModuleRoutes } from './routes/module-routes.ts';
import { addNodeCredentialRoutes } from './routes/node-credentials.ts';
import { addNodeGroupRoutes } from './routes/node-groups.ts';
import { addNodeRoutes } from './routes/node-routes.ts';
import { addPlanRoutes } from './routes/plans.ts';
import { addPluginRoutes } from './routes/plugins.ts';
import { addPullSecretRoutes } from './routes/pull-secrets.ts';
import { addResourceRoutes } from './routes/resources.ts';
import { addRevisionRoutes } from './routes/revisions.ts';
import { addRolloutRoutes } from './routes/rollouts.ts';
import type { ApiServer } from './routes/route-schema.ts';
import { addServerRoutes } from './routes/server-routes.ts';
import { addTokenRoutes } from './routes/tokens.ts';
import { addWebhookRoutes } from './routes/webhooks.ts';

export interface ApiServerOptions extends Omit<ApiContext, 'exclusive' | 'denials' | 'startedAt'> {
  /** Default: now. */
  readonly startedAt?: number;
  readonly auth: ApiAuth;
  /** `host` without brackets; port 0: any free one; `tls` undefined: plain text. */
  readonly listen: { readonly host: string; readonly port: number; readonly tls: PortTls | undefined };
  /** The built-in registry: gets every request below `/v2` untouched, body and all. */
  readonly registry?: {
    handle(request: IncomingMessage, response: ServerResponse): Promise<void>;
    readonly searchCatalogue: SearchCatalogue;
  };
  /** Whether every change of a document has to name the version that it is of. */
  readonly requireIfMatch: boolean;
  readonly meter: Pick<Meter, 'requested'>;
  /** What `GET /metrics` answers. */
  readonly scrape: Scrape;
}

export interface RunningApiServer {
  /** `http://HOST:PORT` or `https://HOST:PORT`, without a slash at the end. */
  readonly url: string;
  /** Every method and path that is answered, `GET /v1/plugins`; below `/v2` the registry answers. */
  readonly routes: readonly string[];
  /** Ends once open requests were answered, and after `STOP_DEADLINE_MS` at the latest. Idempotent. */
  stop(): Promise<void>;
}

const ROUTES = [
  addServerRoutes,
  addPluginRoutes,
  addRevisionRoutes,
  addPlanRoutes,
  addConvertRoutes,
  addResourceRoutes,
  addPullSecretRoutes,
  addNodeGroupRoutes,
  addNodeRoutes,
  addNodeCredentialRoutes,
  addModuleRoutes,
  addEventRoutes,
  addAuditRoutes,
  addRolloutRoutes,
  addFreezeRoutes,
  addTokenRoutes,
  addWebhookRoutes,
  addBackupRoute,
];
const BODY_LIMIT = 1024 * 1024;
/** Bounds a runaway loop; a person and a CI together stay far below. */
const REQUESTS_PER_MINUTE = 12_000;
const STOP_DEADLINE_MS = 3_000;

/** Opens the API port. Throws ApiError `api-listen-failed`. */
export async function startApiServer(options: ApiServerOptions): Promise<RunningApiServer> {
  const { host, port } = options.listen;
  const routesOf: RequestRoutes = new WeakMap();
  const denials = createDenialLog(options.store, options.clock, options.log);
  const { app, servers } = createApp({ ...options, denials }, routesOf);
  await addPlugins(app);
  addRequestHooks(app, { ...options, denials });
  noteRoutes(app, routesOf);
  const context: ApiContext = {
    startedAt: options.clock.now(),
    ...options,
    denials,
    exclusive: createExclusive(),
  };
  const routes = addGuard(app, context, options.auth);
  const describe = describeRoutes(app);
  // Routes come in a plugin of their own, so that every hook and the rate limits see every one of them.
  app.register(async scope => {
    const server = scope as unknown as ApiServer;
    for (const add of ROUTES) add(server, context);
    addMetricsRoute(server, options);
    addCatalogueRoutes(server, context, options.registry?.searchCatalogue);
    server.get('/openapi.json', { schema: { hide: true } }, describe);
  });
  let url: string;
  try {
    url = await app.listen({ host, port });
  } catch (cause) {
    throw new ApiError('api-listen-failed', `${host}:${port}: ${toMessage(cause)}`, {
      cause,
      hint: 'Another port: --api-listen HOST:PORT',
    });
  }
  const endPurge = keepDeletedPurged(context);
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    const cancel = options.clock.after(STOP_DEADLINE_MS, () => {
      for (const server of servers) server.closeAllConnections();
    });
    await Promise.all([app.close(), endPurge()]);
    await denials.stop();
    cancel();
  };
  // Fastify knows nothing of the server that it was given.
  if (options.listen.tls !== undefined) url = url.replace(/^http:/, 'https:');
  return { url, routes, stop: () => (stopped ??= stop()) };
}

function createApp(
  options: ApiServerOptions & Pick<ApiContext, 'denials'>,
  routesOf: RequestRoutes,
): { app: ApiServer; servers: readonly Server[] } {
  // Fastify asks for one more where a host name has several addresses, as localhost has.
  const servers: Server[] = [];
  const app = fastify({
    serverFactory: handler => {
      const server = createHttpServer({ ...options, routesOf }, handler);
      servers.push(server);
      return server;
    },
    bodyLimit: BODY_LIMIT,
    genReqId: request => toRequestId(request, options.random),
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 2048 },
    logger: false,
    // A URL that does not decode gets no route, so no error handler either.
    frameworkErrors: (thrown, request, reply) => sendProblem(reply.raw, thrown, request.url, request.id),
    clientErrorHandler: (thrown, socket) => refuseUnreadable(thrown, socket, options.random(8)),
    schemaController: { compilersFactory: createCompilers() },
    ajv: { customOptions: { coerceTypes: true, removeAdditional: false } },
  });
  return { app: app as unknown as ApiServer, servers };
}

async function addPlugins(app: ApiServer): Promise<void> {
  addBodyParsers(app);
  await app.register(fastifyHelmet);
  await app.register(fastifyRateLimit, {
    max: REQUESTS_PER_MINUTE,
    timeWindow: 60_000,
    enableDraftSpec: true,
  });
}
