import { toMessage } from '../../model/error.ts';
import { toWhoAmI } from '../access/to-token-view.ts';
import type { ApiContext } from '../api-context.ts';
import { ApiError } from '../api-error.ts';
import type { Index } from '../schema/server-view.ts';
import { toLimitList } from '../to-limit-list.ts';
import { type ApiServer, answers } from './route-schema.ts';

const PATHS: Index['paths'] = {
  plugins: '/v1/plugins',
  resources: '/v1/resources',
  pullsecrets: '/v1/pullsecrets',
  nodegroups: '/v1/nodegroups',
  rollouts: '/v1/rollouts',
  nodes: '/v1/nodes',
  modules: '/v1/modules',
  catalogue: '/v1/catalogue',
  events: '/v1/events',
  freeze: '/v1/freeze',
  tokens: '/v1/tokens',
  server: '/v1/server',
  limits: '/v1/limits',
  whoami: '/v1/whoami',
  openapi: '/openapi.json',
  registry: '/v2/',
  health: '/healthz',
  ready: '/readyz',
  version: '/version',
};

/** Index, health, version, and who asks. */
export function addServerRoutes(app: ApiServer, context: ApiContext): void {
  const { store, version, addresses, envoyAccess, certificates, readLimits } = context;
  const schema = (name: Parameters<typeof answers>[0][number]) => ({
    schema: { tags: ['server'], response: answers({ 200: name }) },
  });
  app.get('/', schema('Index'), async () => ({
    name: 'attache',
    version,
    paths: PATHS,
    ...(addresses === undefined ? {} : { addresses }),
    envoys: { tls: [...envoyAccess.tls], nodeAuth: envoyAccess.auth },
  }));
  app.get('/version', schema('Version'), async () => ({ version }));
  app.get('/healthz', schema('Health'), async () => ({ status: 'ok' }));
  app.get('/readyz', schema('Health'), async () => {
    try {
      await store.get('ModuleKey', 'current');
    } catch (cause) {
      throw new ApiError('not-ready', `the store does not answer: ${toMessage(cause)}`, { cause });
    }
    const warnings = certificates?.warnings() ?? [];
    return { status: 'ok', ...(warnings.length === 0 ? {} : { warnings: [...warnings] }) };
  });
  app.get('/v1/server', schema('Server'), async () => ({
    kind: 'Server',
    version,
    ...(await context.readMachine()),
    startedAt: new Date(context.startedAt).toISOString(),
    time: new Date(context.clock.now()).toISOString(),
  }));
  app.get('/v1/limits', schema('LimitList'), async () => toLimitList(readLimits()));
  app.get('/v1/whoami', schema('WhoAmI'), async request => toWhoAmI(request.caller));
}
