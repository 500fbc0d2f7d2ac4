import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Value } from 'typebox/value';
import { SCHEMAS, type SchemaName } from '../../src/api/schema/schemas.ts';
import { type ApiServerOptions, startApiServer } from '../../src/api/server.ts';
import { AttacheError } from '../../src/model/error.ts';
import { silentMeter } from '../../src/model/meter.ts';
import type { NodeAccess } from '../../src/model/node-access.ts';
import { type Clock, silentLog } from '../../src/model/ports.ts';
import { NO_SIGNATURE_POLICY } from '../../src/model/signature-policy.ts';
import { DEFAULT_XDS_LIMITS } from '../../src/model/xds-limits.ts';
import { createSeal } from '../../src/store/seal.ts';
import type { Store } from '../../src/store/store.ts';
import { nextTurn } from '../../src/system.ts';
import { findUrlFault } from '../../src/webhook/webhook-address.ts';
import { ADMIN_LIMITS, createNodeAdmin } from '../../src/xds/access/node-admin.ts';
import { createNodeLogReader } from '../../src/xds/access/node-log.ts';
import { LimitGuard } from '../../src/xds/limits/limit-guard.ts';

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Nothing is known of what nodes have; nobody can be asked. */
export const NO_ACCESS: NodeAccess = {
  readConfig: () => undefined,
  show: () => assert.fail('not expected here'),
  admin: createNodeAdmin({ allowed: [], ...ADMIN_LIMITS }),
  logs: createNodeLogReader(undefined),
};

/** An answer that was checked against the schema of the OpenAPI document. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what the schema has already vouched for
  readonly body: any;
}

/** The API on a free port of loopback over a store, and a client that checks every answer's shape. */
export async function startApi(store: Store, over: Partial<ApiServerOptions> = {}) {
  const server = await startApiServer({
    listen: { host: '127.0.0.1', port: 0, tls: undefined },
    auth: { asksTokens: false, checkToken: async () => ({ kind: 'unknown' }) },
    store,
    checkResource: async () => ({ typeUrl: 'x', envoyName: 'x', warnings: [], sensitive: [] }),
    findReferences: () => [],
    signatures: NO_SIGNATURE_POLICY,
    nodes: NO_ACCESS,
    envoyAccess: { tls: [], auth: 'none', makeToken: () => assert.fail('not expected here') },
    certificates: undefined,
    webhooks: {
      findFault: url => findUrlFault(url, []),
      sendTest: async () => ({ kind: 'failed', text: 'there is nobody to send it here' }),
    },
    takeBackup: async () => {
      throw new Error('there is nothing to back up here');
    },
    requireIfMatch: false,
    inspectModule: async () => undefined,
    readMachine: async () => ({ runtime: '26.13.1', disk: { freeBytes: 1_000, totalBytes: 2_000 } }),
    readModuleStorage: async () => ({ usedBytes: 0, quotaBytes: 1, here: new Set(), inRegistry: new Set() }),
    readLimits: () =>
      new LimitGuard({
        limits: DEFAULT_XDS_LIMITS,
        clock: systemClock,
        steady: systemClock,
        nextTurn,
        log: silentLog,
      }).usage(),
    seal: createSeal(Buffer.alloc(32, 1), bytes => randomBytes(bytes).toString('hex')),
    clock: systemClock,
    random: bytes => randomBytes(bytes).toString('hex'),
    log: silentLog,
    meter: silentMeter,
    scrape: () => assert.fail('not expected here'),
    version: '0.0.0-test',
    rootNamespace: 'istio-system',
    // Other stages are played by the test: what they do not take in at once they never do.
    takeInMs: 2_000,
    ...over,
  });
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> => {
    const response = await fetch(server.url + path, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': toBodyType(method) }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const answer = {
      status: response.status,
      headers: response.headers,
      body: JSON.parse(await response.text()),
    };
    checkShape(method, path, answer);
    return answer;
  };
  return { url: server.url, routes: server.routes, stop: server.stop, call };
}

/** What a method takes. */
export function toBodyType(method: string): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
}

/** Every 2xx fits the schema that its kind names, everything else is a Problem. */
function checkShape(method: string, path: string, { status, headers, body }: Answer): void {
  const ok = status >= 200 && status < 300;
  const type = headers.get('content-type') ?? '';
  assert.match(type, ok ? /^application\/json/ : /^application\/problem\+json/);
  if (!ok) assert.equal(body.status, status);
  const name = ok ? nameOf(body) : 'Problem';
  if (name === undefined) return;
  const faults = [...Value.Errors(SCHEMAS[name], body)].map(fault => JSON.stringify(fault));
  assert.deepEqual(faults, [], `${method} ${path} is no ${name}`);
}

function nameOf(body: { kind?: string; result?: string }): SchemaName | undefined {
  const names = [...(body.result === undefined ? [] : [`${body.kind}ApplyAnswer`]), body.kind ?? ''];
  return names.find(name => name in SCHEMAS) as SchemaName | undefined;
}

/** A CheckResource that refuses a listener with an unknown field, as the compile stage does. */
export const pickyCheckResource: ApiServerOptions['checkResource'] = async spec => {
  if ('filterChain' in spec.resource)
    throw new AttacheError('unknown-field', 'filterChain: unknown field', {
      faults: [{ pointer: '/filterChain', message: 'unknown field', hint: 'Did you mean filterChains?' }],
    });
  return { typeUrl: '', envoyName: '', warnings: ['no filter chain: Envoy will refuse it'], sensitive: [] };
};

/** A registry that says what it was asked, and reads its own body. */
export const echoRegistry: NonNullable<ApiServerOptions['registry']> = {
  handle: echo,
  searchCatalogue: async ({ text, limit }) => ({ items: [], total: text.length + limit }),
};

async function echo(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.url === '/v2/broken') throw new Error('broken');
  let size = 0;
  for await (const chunk of request) size += (chunk as Buffer).length;
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify({ method: request.method, url: request.url, size }));
}
