import type { FastifyRequest } from 'fastify';
import { findDenial, type Subject } from '../../model/access.ts';
import type { Caller } from '../../model/caller.ts';
import { isEverything } from '../../model/scope.ts';
import type { ApiContext } from '../api-context.ts';
import type { ApiError } from '../api-error.ts';
import {
  toUnknownNode,
  toUnknownPlugin,
  toUnknownPullSecret,
  toUnknownResource,
  toUnknownRollout,
} from '../not-found.ts';
import type { ApiServer } from '../routes/route-schema.ts';
import { type ApiAuth, authenticate, toChallenge } from './authenticate.ts';
import { toForbidden } from './require.ts';
import { type About, type Access, ROUTE_ACCESS } from './route-access.ts';
import { type RouteParams, readSubject } from './subjects.ts';
import { createTokenLimits } from './token-limits.ts';
import { isForgotten } from './visible.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Set by addGuard from ROUTE_ACCESS. */
    access?: Access;
  }
  interface FastifyRequest {
    /** Who asks; of a route that is open to everybody it is not known. */
    caller: Caller;
  }
}

/**
 * Nothing is answered before it is known who asks, and whether they may: a route that ROUTE_ACCESS does not name cannot
 * be registered. It decides on the route that was found and its decoded parameters, before a body is read, and after
 * the limit per address. Answers the routes, once they are registered.
 */
export function addGuard(app: ApiServer, context: ApiContext, auth: ApiAuth): readonly string[] {
  const routes: string[] = [];
  const limitToken = createTokenLimits(app);
  app.decorateRequest('caller');
  app.addHook('onRoute', route => {
    const method = route.method === 'HEAD' ? 'GET' : String(route.method);
    const access = ROUTE_ACCESS[`${method} ${route.url}`];
    if (access === undefined)
      throw new Error(`${method} ${route.url}: who may call it has to stand in ROUTE_ACCESS`);
    route.config = { ...route.config, access };
    routes.push(`${route.method} ${route.url}`);
  });
  app.addHook('preParsing', async (request, reply) => {
    const access = request.routeOptions.config?.access;
    if (access === 'open') return;
    try {
      request.caller = await authenticate(auth, request.headers, {
        address: request.ip,
        requestId: request.id,
      });
    } catch (error) {
      reply.header('www-authenticate', toChallenge(request.headers));
      throw error;
    }
    await limitToken(request, reply);
    // A path that nobody knows has no route, and nothing to be allowed.
    if (access !== undefined) await requireAccess(context, request, access);
  });
  return routes;
}

async function requireAccess(
  { store, rootNamespace }: ApiContext,
  request: FastifyRequest,
  { role, about }: Exclude<Access, 'open'>,
): Promise<void> {
  const { caller } = request;
  const params = request.params as RouteParams;
  // Who may touch everything needs no look at what it is.
  const subject: Subject | undefined = isEverything(caller.scope)
    ? { kind: 'fleet' }
    : await readSubject(store, about, params);
  const denial = findDenial(caller, role, subject ?? { kind: 'listed' }, rootNamespace);
  const isRead = request.method === 'GET' || request.method === 'HEAD';
  if (denial === undefined) {
    const lost =
      isRead && subject !== undefined && isForgotten(caller, subject) ? toNotFound(about, params) : undefined;
    if (lost !== undefined) throw lost;
    return;
  }
  // What is read outside of the scope is not there; a node that may be seen, and not looked into, is.
  const isSeen =
    subject?.kind === 'whole-node' &&
    findDenial(caller, role, { ...subject, kind: 'node' }, rootNamespace) === undefined;
  const hidden = isRead && denial.by === 'scope' && !isSeen ? toNotFound(about, params) : undefined;
  throw hidden ?? toForbidden(caller, denial);
}

/** As the route says it of what is not there. */
function toNotFound(about: About, params: RouteParams): ApiError | undefined {
  const { namespace, name, type, id = '' } = params;
  switch (about) {
    case 'plugin':
      return toUnknownPlugin(`${namespace}/${name}`);
    case 'resource':
      return toUnknownResource(`${type}/${namespace}/${name}`);
    case 'pullsecret':
      return toUnknownPullSecret(`${namespace}/${name}`);
    case 'rollout':
      return toUnknownRollout(id);
    case 'node':
    case 'whole-node':
      return toUnknownNode(id);
    case 'server':
    case 'fleet':
    case 'listed':
      return undefined;
    default:
      return about satisfies never;
  }
}
