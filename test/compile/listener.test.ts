import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PlacesWanted, placeSlots } from '../../src/compile/listener.ts';
import { toListenerFacts } from '../../src/model/plugin-listeners.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { HCM, makeListener, ROUTER, registry } from './compile-samples.ts';

const CHAIN: PlacesWanted = {
  layout: 'chain',
  unanswered: 'deny',
  namespace: 'default',
  pluginSlots: () => [],
};
const PHASE_SLOTS = ['attache.authn', 'attache.authz', 'attache.stats', 'attache.last'];
const router = { name: 'router', typed_config: { '@type': ROUTER } };

function place(resource: JsonObject, wanted: PlacesWanted = CHAIN) {
  const placed = placeSlots(registry.decodeAny(registry.encodeAny(resource)), wanted);
  registry.encodeAny(placed.listener);
  return placed;
}

/** The filters of every HTTP connection manager, in order of the chains. */
function filtersOf(listener: JsonObject): JsonObject[][] {
  const found: JsonObject[][] = [];
  JSON.stringify(listener, (_key, value) => {
    if (value?.['@type'] === HCM) found.push(value.httpFilters);
    return value;
  });
  return found;
}

function namesOf(listener: JsonObject): unknown[][] {
  return filtersOf(listener).map(filters => filters.map(filter => filter.name));
}

test('the four phases stand before the router, in order, each on its listener', () => {
  const { listener, slots, fetchTimeoutMs } = place(makeListener());
  const expected = PHASE_SLOTS.map(slot => `${slot}/ingress`);
  assert.deepEqual(slots, expected);
  assert.deepEqual(namesOf(listener), [[...expected, 'envoy.filters.http.router']]);
  assert.equal(fetchTimeoutMs, 0);
});

test('a place waits without end and denies; or, with unanswered: allow, 15 s and lets through', () => {
  const place1 = filtersOf(place(makeListener()).listener)[0]?.[0]?.configDiscovery as JsonObject;
  assert.equal((place1.configSource as JsonObject).initialFetchTimeout, '0s');
  assert.deepEqual(place1.defaultConfig, {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC',
    rules: {},
    rulesStatPrefix: 'attache_closed',
  });
  const open = place(makeListener(), { ...CHAIN, unanswered: 'allow' });
  const place2 = filtersOf(open.listener)[0]?.[0]?.configDiscovery as JsonObject;
  assert.equal((place2.configSource as JsonObject).initialFetchTimeout, '15s');
  assert.deepEqual(Object.keys(place2.defaultConfig as JsonObject), ['@type']);
  assert.equal(open.fetchTimeoutMs, 15_000);
});

test('every filter chain and the default one get the places; filters other than HTTP stay', () => {
  const base = makeListener();
  const [chain] = base.filter_chains as JsonObject[];
  const tcp = {
    name: 'tcp',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
      stat_prefix: 't',
      cluster: 'c',
    },
  };
  const resource = {
    ...base,
    filter_chains: [chain!, { filters: [tcp] }, chain!],
    default_filter_chain: chain!,
  };
  const { listener, slots } = place(resource);
  assert.equal(namesOf(listener).length, 3);
  for (const names of namesOf(listener)) assert.equal(names.length, 5);
  assert.equal(slots.length, 4);
  assert.deepEqual(place(makeListener({ rest: { filter_chains: [{ filters: [tcp] }] } })).slots, []);
});

test('a place that is there already stays, bare or with the listener, and is completed if it is only a name', () => {
  const jwt = {
    name: 'jwt',
    typed_config: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication',
    },
  };
  const filters = [{ name: 'attache.authz' }, jwt, { name: 'attache.authn/ingress' }, router];
  const { listener, slots } = place(makeListener({ filters }));
  const expected = [
    'attache.authz',
    'jwt',
    'attache.authn/ingress',
    'attache.stats/ingress',
    'attache.last/ingress',
    'router',
  ];
  assert.deepEqual(namesOf(listener), [expected]);
  assert.deepEqual(
    slots,
    expected.filter(name => name.startsWith('attache.')),
  );
  for (const filter of filtersOf(listener)[0] ?? [])
    assert.ok('configDiscovery' in filter || 'typedConfig' in filter, String(filter.name));
});

test("a user's own place keeps its timeout, and the shortest one counts", () => {
  const own = (name: string, timeout: JsonObject) => ({
    name,
    config_discovery: {
      config_source: { ads: {}, resource_api_version: 'V3', ...timeout },
      type_urls: ['type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC'],
    },
  });
  const timeoutOf = (...filters: JsonObject[]) =>
    place(makeListener({ filters: [...filters, router] })).fetchTimeoutMs;
  assert.equal(timeoutOf(own('attache.authn', { initial_fetch_timeout: '0.250s' })), 250);
  assert.equal(timeoutOf(own('attache.authn', {})), 15_000);
  assert.equal(timeoutOf(own('mine', {}), own('attache.authn', { initial_fetch_timeout: '2s' })), 2000);
  assert.deepEqual(place(makeListener({ filters: [own('mine', {}), router] })).slots[0], 'mine');
});

test('single layout: a slot per plugin in phase order; a place that is there holds its phase', () => {
  const pluginSlots = (slot: string) =>
    slot === 'attache.authn' ? ['default/a', 'default/b'] : slot === 'attache.stats' ? ['default/s'] : [];
  const single: PlacesWanted = { ...CHAIN, layout: 'single', pluginSlots };
  const placed = place(makeListener(), single);
  assert.deepEqual(placed.slots, ['default/a', 'default/b', 'default/s']);
  const [first] = filtersOf(placed.listener)[0] ?? [];
  assert.match(JSON.stringify(first?.configDiscovery), /typeUrls":\["[^"]*wasm\.v3\.Wasm","[^"]*RBAC"\]/);
  const kept = place(makeListener({ filters: [{ name: 'attache.authn' }, router] }), single);
  assert.deepEqual(kept.slots, ['attache.authn', 'default/s']);
});

test('a listener says its name, port and direction', () => {
  const facts = (rest: JsonObject) =>
    toListenerFacts(registry.decodeAny(registry.encodeAny(makeListener({ port: 99, rest }))));
  assert.deepEqual(facts({}), { name: 'ingress', port: 99, trafficDirection: 'UNSPECIFIED' });
  assert.equal(facts({ traffic_direction: 'INBOUND' }).trafficDirection, 'INBOUND');
  assert.equal(facts({ address: { pipe: { path: '/x' } } }).port, 0);
});
