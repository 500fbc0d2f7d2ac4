/** The guard by itself: what has no entry cannot exist, and who asks too often waits. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { fastifyRateLimit } from '@fastify/rate-limit';
import { fastify } from 'fastify';
import type { ApiAuth } from '../../src/api/access/authenticate.ts';
import { addGuard } from '../../src/api/access/guard.ts';
import type { ApiContext } from '../../src/api/api-context.ts';
import { toProblem } from '../../src/api/error-reply.ts';
import type { ApiServer } from '../../src/api/routes/route-schema.ts';
import { type ApiToken, makeToken } from '../../src/model/api-token.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';

const token = (name: string): ApiToken => ({
  ...makeToken(bytes => randomBytes(bytes).toString('hex')),
  ...{ name, role: 'viewer', scope: {}, createdBy: 'admin', createdAt: 1 },
});
const auth: ApiAuth = {
  asksTokens: true,
  checkToken: async text => ({ kind: 'good', token: token(text) }),
};

async function startGuarded(t: TestContext, over: Partial<ApiAuth> = {}): Promise<ApiServer> {
  const store = createMemoryStore();
  const app = fastify() as unknown as ApiServer;
  await app.register(fastifyRateLimit, { max: 1_000_000, timeWindow: 60_000 });
  const context = { store, rootNamespace: 'istio-system' } as ApiContext;
  addGuard(app, context, { ...auth, ...over });
  app.setErrorHandler((error, _request, reply) =>
    reply.code(toProblem(error, { path: '', requestId: '' }).status).send({}),
  );
  t.after(async () => {
    await app.close();
    await store.close();
  });
  return app;
}

test('a route for which nobody has said who may call it cannot be registered', async t => {
  const app = await startGuarded(t);
  app.get('/v1/plugins', async () => ({}));
  assert.throws(() => app.get('/v1/forgotten', async () => ({})), /GET \/v1\/forgotten.*ROUTE_ACCESS/);
  assert.throws(() => app.delete('/v1/plugins', async () => ({})), /DELETE \/v1\/plugins/);
  assert.throws(() => app.route({ method: ['GET', 'POST'], url: '/v1/nodes', handler: async () => ({}) }));
});

test('a path that nobody knows takes a token as well, and is not there then', async t => {
  const app = await startGuarded(t);
  assert.equal((await app.inject({ url: '/v1/nothing' })).statusCode, 401);
  const headers = { authorization: 'Bearer x' };
  assert.equal((await app.inject({ url: '/v1/nothing', headers })).statusCode, 404);
});

test('a token that asks too often waits, and another behind the same address does not', async t => {
  const known = new Map(['busy', 'other'].map(name => [name, token(name)]));
  const app = await startGuarded(t, {
    checkToken: async text => ({ kind: 'good', token: known.get(text) ?? assert.fail() }),
  });
  app.get('/v1/whoami', async () => ({}));
  const ask = async (name: string): Promise<number> =>
    (await app.inject({ url: '/v1/whoami', headers: { authorization: `Bearer ${name}` } })).statusCode;
  const found = new Map<number, number>();
  for (let i = 0; i < 6_002; i += 1) {
    const status = await ask('busy');
    found.set(status, (found.get(status) ?? 0) + 1);
  }
  assert.deepEqual(Object.fromEntries(found), { 200: 6_000, 429: 2 });
  assert.equal(await ask('other'), 200);
});
