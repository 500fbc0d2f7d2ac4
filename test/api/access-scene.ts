import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { createTokenCheck } from '../../src/api/access/token-check.ts';
import type { ApiServerOptions } from '../../src/api/server.ts';
import type { Role } from '../../src/model/access.ts';
import { type ApiToken, makeToken } from '../../src/model/api-token.ts';
import { silentLog } from '../../src/model/ports.ts';
import type { Scope } from '../../src/model/scope.ts';
import { createCoalescedWriter } from '../../src/store/coalesced-writer.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { rolloutKey } from '../../src/store/record-kinds.ts';
import type { Store } from '../../src/store/store.ts';
import { makeAssignment, makePresence, makeRollout, makeSide, makeSpec } from '../model/records.ts';
import { startApi, systemClock } from './api-client.ts';

/** What is there of either kind: a node, a plugin with a rollout, a listener, a pull secret. */
export const SIDES = ['edge', 'core'] as const;

const random = (bytes: number): string => randomBytes(bytes).toString('hex');

/** A fleet of two halves, `edge` and `core`, by namespace and by the label tier; nobody comes in without a token. */
export async function startAccessScene(t: TestContext, over: Partial<ApiServerOptions> = {}) {
  const store = createMemoryStore();
  for (const side of SIDES) await putSide(store, side);
  const writer = createCoalescedWriter(store, systemClock, silentLog, { intervalMs: 1 });
  const checkToken = createTokenCheck({ store, writer, clock: over.clock ?? systemClock });
  const api = await startApi(store, { auth: { asksTokens: true, checkToken }, ...over });
  t.after(async () => {
    await api.stop();
    await writer.stop();
    await store.close();
  });
  let count = 0;
  const give = async (role: Role, scope: Scope = {}, more: Partial<ApiToken> = {}): Promise<string> => {
    const { id, token, sha256 } = makeToken(random);
    count += 1;
    const name = `${role}-${count}`;
    const value = { id, name, sha256, role, scope, createdBy: 'admin', createdAt: 1, ...more };
    await store.put('Token', id, value);
    return token;
  };
  const callAs = (token: string, method: string, path: string, body?: unknown, headers = {}) =>
    api.call(method, path, body, { authorization: `Bearer ${token}`, ...headers });
  return { ...api, store, writer, give, callAs };
}

/** The label of a half: what a scope of its nodes asks for. */
export function tierOf(side: string): Readonly<Record<string, string>> {
  return { tier: side };
}

async function putSide(store: Store, side: string): Promise<void> {
  const plugin = `${side}/auth`;
  const selector = { matchLabels: tierOf(side) };
  const base = makeSide(2, { selector });
  const node = { id: `${side}-1`, namespace: side, labels: tierOf(side) };
  await store.put('NodePresence', node.id, makePresence({}, node));
  await store.put('PluginSpec', plugin, makeSpec({ namespace: side, selector }));
  await store.put('Assignment', plugin, makeAssignment({ plugin, base }));
  const from = makeSide(1, { selector });
  const rollout = makeRollout({ id: `${side}.auth.1`, plugin, from, to: base, specRevision: 1 });
  await store.put('Rollout', rolloutKey(plugin, 1), rollout);
  const named = { namespace: side, name: 'ingress' };
  const listener = { '@type': 'type.googleapis.com/envoy.config.listener.v3.Listener', name: 'ingress' };
  await store.put('ResourceSpec', `listeners/${side}/ingress`, {
    ...named,
    type: 'listeners',
    selector,
    resource: listener,
    createdAt: 1,
  });
  const secret = {
    namespace: side,
    name: 'registry',
    registries: ['r'],
    sealed: '',
    by: 'admin',
    createdAt: 1,
  };
  await store.put('PullSecret', `${side}/registry`, secret);
  await store.put('Event', `000000000000001-${side}`, { type: 'x', at: 1, plugin, message: `of ${side}` });
}
