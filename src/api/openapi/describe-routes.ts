import { createRequire } from 'node:module';
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { fastify, type RouteOptions } from 'fastify';
import { ROUTE_ACCESS } from '../access/route-access.ts';
import type { ApiServer } from '../routes/route-schema.ts';
import { SCHEMAS } from '../schema/schemas.ts';
import { INFO, TAGS } from './info.ts';
import { OPERATIONS } from './operations.ts';
import { type Node, toOpenApi } from './to-openapi.ts';

const require = createRequire(import.meta.url);

/**
 * The OpenAPI document of all routes that are registered from now on. It is made when somebody asks for it: what makes it
 * has 100 files, and few servers are ever asked.
 */
export function describeRoutes(app: ApiServer): () => Promise<object> {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', route => {
    if (route.method !== 'HEAD') routes.push(route);
  });
  let document: Promise<object> | undefined;
  return () => (document ??= makeDocument(routes));
}

/** By a server that has the same routes, and never listens. */
async function makeDocument(routes: readonly RouteOptions[]): Promise<object> {
  const { fastifySwagger } = require('@fastify/swagger') as typeof import('@fastify/swagger');
  const options: FastifyDynamicSwaggerOptions = {
    openapi: {
      openapi: '3.1.0',
      info: INFO,
      servers: [{ url: '/' }],
      tags: TAGS,
    },
    transformObject: document =>
      toOpenApi(('openapiObject' in document ? document.openapiObject : {}) as Node, {
        operations: OPERATIONS,
        access: ROUTE_ACCESS,
      }) as object,
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json.$id ?? `schema-${i}`) },
  };
  const app = fastify({ logger: false, exposeHeadRoutes: false });
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => String);
  for (const [name, schema] of Object.entries(SCHEMAS)) app.addSchema({ ...schema, $id: name });
  await app.register(fastifySwagger, options);
  app.register(async scope => {
    for (const { method, url, schema = {} } of routes)
      scope.route({ method, url, schema, handler: () => {} });
  });
  await app.ready();
  const document = app.swagger();
  await app.close();
  return document;
}
