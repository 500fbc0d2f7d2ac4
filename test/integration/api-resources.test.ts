/** Raw Envoy resources over REST, checked by the types of Envoy itself. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { makeCheckResource } from '../../src/compile/check-resource.ts';
import { makeFindReferences } from '../../src/compile/find-references.ts';
import { installedProtoFiles } from '../../src/compile/proto-files.ts';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import { readProtosets } from '../../src/compile/protoset.ts';
import type { NodeMetrics } from '../../src/model/node-metrics.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { CLUSTER_TYPE, ROUTE_TYPE, SECRET_TYPE, XDS_TYPES } from '../../src/model/type-url.ts';
import { LiveTable } from '../../src/store/live-table.ts';
import { createMemoryStore } from '../../src/store/memory-store.ts';
import { startApi, systemClock } from '../api/api-client.ts';
import { HCM, LISTENER, makeListener } from '../compile/compile-samples.ts';
import { toProtoset } from '../compile/protoset-sample.ts';
import { stopAfter } from '../harness/cleanup.ts';
import { makeSample } from '../model/metric-records.ts';
import { makePresence } from '../model/records.ts';

const SHADE = 'type.googleapis.com/acme.v3.Shade';
const PROTOSET = toProtoset({
  'acme/v3/shade.proto': 'syntax = "proto3"; package acme.v3; message Shade { string tint = 1; }',
});

/** The API over a store with two connected Envoys: edge-1 (app gateway) and edge-2 (app other). */
async function setUp(t: TestContext) {
  const protosets = readProtosets([{ path: 'acme.binpb', bytes: PROTOSET }]);
  const registry = new ProtoRegistry(installedProtoFiles(), protosets);
  const store = createMemoryStore();
  const metrics = new LiveTable<NodeMetrics>();
  const api = await startApi(store, {
    checkResource: makeCheckResource(registry),
    findReferences: makeFindReferences(registry),
    metrics,
  });
  stopAfter(t, {
    async stop() {
      await api.stop();
      await store.close();
    },
  });
  await store.put('NodePresence', 'edge-1', makePresence());
  await store.put('NodePresence', 'edge-2', makePresence({}, { id: 'edge-2', labels: { app: 'other' } }));
  const { call } = api;
  const put = (type: string, name: string, resource: JsonObject, selector?: JsonObject) =>
    call('PUT', `/v1/resources/${type}/default/${name}`, frame(name, resource, selector));
  const plan = async (...documents: object[]) => (await call('POST', '/v1/plans', documents)).body;
  return { ...api, store, metrics, put, plan };
}

function frame(name: string, resource: JsonObject, selector?: JsonObject): JsonObject {
  const spec = { resource, ...(selector === undefined ? {} : { selector: { matchLabels: selector } }) };
  return { apiVersion: 'attache/v1', kind: 'EnvoyResource', metadata: { name }, spec };
}

const cluster = (name: string): JsonObject => ({ '@type': CLUSTER_TYPE, name, connect_timeout: '1s' });
const routeTo = (name: string, to: string): JsonObject => ({
  '@type': ROUTE_TYPE,
  name,
  virtual_hosts: [
    { name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: to } }] },
  ],
});

function listenerWithRds(name: string, route: string, port = 8080): JsonObject {
  const rds = { config_source: { ads: {} }, route_config_name: route };
  const filters = [
    { name: 'http', typed_config: { '@type': HCM, stat_prefix: name, rds, http_filters: [] } },
  ];
  return {
    '@type': LISTENER,
    name,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [{ filters }],
  };
}

test('resources of each of the seven types are taken, for the nodes that a selector chooses', async t => {
  const { call, put } = await setUp(t);
  const samples: Readonly<Record<string, JsonObject>> = {
    listeners: makeListener(),
    endpoints: { cluster_name: 'ingress', endpoints: [] },
    extensions: {
      typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC' },
    },
    runtimes: { layer: { 'a.b': 100, c: 'x' } },
    secrets: { generic_secret: { secret: { inline_string: 'x' } } },
  };
  for (const { plural, typeUrl } of XDS_TYPES) {
    const named = plural === 'endpoints' ? {} : { name: 'ingress' };
    const resource = { '@type': typeUrl, ...named, ...samples[plural] };
    const { status, body } = await put(plural, 'ingress', resource, { app: 'gateway' });
    assert.equal(status, 201, `${plural}: ${JSON.stringify(body)}`);
    assert.deepEqual([body.type, body.status.envoyName], [plural, 'ingress']);
    assert.equal(body.status.nodes.targeted, 1, plural);
    const list = await call('GET', `/v1/resources/${plural}`);
    assert.deepEqual(
      list.body.items.map((item: { type: string }) => item.type),
      [plural],
    );
  }
  assert.equal((await call('GET', '/v1/resources')).body.items.length, 7);
});

test('an unknown type or field is refused with its place and the way out, and nothing is stored', async t => {
  const { put, store, call } = await setUp(t);
  const filters = (config: JsonObject) => [{ name: 'f', typed_config: config }];
  const at = '/spec/resource/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config';
  const cases: readonly (readonly [JsonObject, string, string, RegExp])[] = [
    [{ '@type': 'type.googleapis.com/acme.v3.Lamp' }, 'unknown-type', `${at}/@type`, /--protoset FILE/],
    [{ '@type': SHADE, tnt: 'x' }, 'unknown-field', `${at}/tnt`, /did you mean tint\?/],
    [{ '@type': SHADE, lumen: 'x' }, 'unknown-field', `${at}/lumen`, /It has tint\. .*--protoset FILE/],
  ];
  for (const [config, code, pointer, hint] of cases) {
    const resource = makeListener({ filters: filters(config) });
    const { status, body } = await put('listeners', 'ingress', resource);
    assert.deepEqual([status, body.code, body.errors[0].pointer], [422, code, pointer]);
    assert.match(body.errors[0].hint, hint);
    const planned = await call('POST', '/v1/plans', [frame('ingress', resource)]);
    assert.equal(planned.body.errors[0].pointer, `/0${pointer}`);
  }
  assert.deepEqual((await store.list('ResourceSpec')).records, []);
});

test('the type of an extension that a protoset declares is taken', async t => {
  const { put } = await setUp(t);
  const filters = [{ name: 'shade', typed_config: { '@type': SHADE, tint: 'grey' } }];
  assert.equal((await put('listeners', 'ingress', makeListener({ filters }))).status, 201);
});

test('a listener that names a missing route, and a route that names a missing cluster, are warnings', async t => {
  const { put, plan } = await setUp(t);
  const listener = await put('listeners', 'in', listenerWithRds('in', 'web'));
  assert.equal(listener.status, 201);
  const about = (warnings: readonly string[]) => warnings.filter(text => text.includes(' names '));
  assert.match(
    about(listener.body.warnings)[0] ?? '',
    /^listener default\/in names route web, which no document gives to edge-1 and 1 more node: /,
  );
  const route = await put('routes', 'web', routeTo('web', 'app'), { app: 'gateway' });
  assert.match(about(route.body.warnings)[0] ?? '', /^route default\/web names cluster app, .* to edge-1: /);
  await put('clusters', 'app', cluster('app'));
  const partly = await put('listeners', 'in', listenerWithRds('in', 'web'));
  assert.match(about(partly.body.warnings)[0] ?? '', /names route web, which no document gives to edge-2: /);
  assert.deepEqual(about((await put('routes', 'web', routeTo('web', 'app'))).body.warnings), []);
  const planned = await plan(
    frame('x', listenerWithRds('x', 'rx', 1)),
    frame('rx', routeTo('rx', 'cx')),
    frame('cx', cluster('cx')),
  );
  assert.deepEqual(
    planned.items.flatMap(({ warnings }: { warnings: string[] }) => about(warnings)),
    [],
    'what stands behind it in a list is there by then',
  );
});

test('two listeners of one node on one address are an error, in a plan too', async t => {
  const { put, plan, call, store } = await setUp(t);
  assert.equal((await put('listeners', 'a', makeListener({ name: 'a' }))).status, 201);
  const other = makeListener({ name: 'b' });
  const { status, body } = await put('listeners', 'b', other);
  assert.deepEqual([status, body.code], [409, 'address-conflict']);
  assert.match(
    body.detail,
    /^listener default\/a already listens on tcp 127\.0\.0\.1:8080 .*, edge-1 for instance$/,
  );
  assert.equal(body.errors[0].pointer, '/spec/resource/address');
  const planned = await call('POST', '/v1/plans', [frame('b', other)]);
  assert.deepEqual(
    [planned.body.code, planned.body.errors[0].pointer],
    ['address-conflict', '/0/spec/resource/address'],
  );
  const moved = await plan(frame('a', makeListener({ name: 'a', port: 8081 })), frame('b', other));
  assert.equal(moved.items?.length, 2, 'the one before it in the list has moved by then');

  const listeners = [{ name: 'own', port: 9999, trafficDirection: 'INBOUND' }] as const;
  await store.put('NodePresence', 'edge-2', makePresence({}, { id: 'edge-2', bootstrap: { listeners } }));
  const port = await put('listeners', 'c', makeListener({ name: 'c', port: 9999 }));
  assert.match(
    port.body.warnings.join(),
    /on port 9999, which the bootstrap of edge-2 gives its own listener own/,
  );

  // On nodes that no document meets on now; one that both select comes later.
  await put('listeners', 'a', makeListener({ name: 'a' }), { app: 'gateway' });
  assert.equal((await put('listeners', 'b', other, { tier: 'new' })).status, 201);
  const both = makePresence({}, { id: 'late', labels: { app: 'gateway', tier: 'new' } });
  await store.put('NodePresence', 'late', both);
  const late = await call('GET', '/v1/nodes/late');
  assert.ok(
    late.body.status.warnings.some((text: string) =>
      text.startsWith(
        'listeners/default/b is left out here: listeners/default/a listens on tcp 127.0.0.1:8080 too',
      ),
    ),
    JSON.stringify(late.body.status.warnings),
  );
});

test('removing, moving or breaking a listener is in the plan, with what nodes say of its traffic', async t => {
  const { put, plan, metrics } = await setUp(t);
  await put('clusters', 'app', cluster('app'));
  await put('routes', 'web', routeTo('web', 'app'));
  await put('listeners', 'in', listenerWithRds('in', 'web'));
  const now = systemClock.now();
  const listeners = { '127.0.0.1_8080': { opened: 40, open: 3 } };
  metrics.set('edge-1', { node: 'edge-1', process: 'p1', samples: [makeSample(now - 1_000, { listeners })] });
  const impactOf = async (document: object) => (await plan(document)).items[0].listeners;
  const remove = (type: string, name: string) => ({ delete: { kind: 'EnvoyResource', type, name } });

  const [removed] = await impactOf(remove('listeners', 'in'));
  assert.deepEqual([removed.effect, removed.count, removed.open], ['removed', 2, 3]);
  assert.deepEqual(removed.traffic.carries.nodes, ['edge-1']);
  assert.deepEqual(removed.traffic.unknown.nodes, ['edge-2']);
  const narrowed = await impactOf(frame('in', listenerWithRds('in', 'web'), { app: 'gateway' }));
  assert.deepEqual([narrowed[0].effect, narrowed[0].nodes], ['removed', ['edge-2']]);
  const [moved] = await impactOf(frame('in', listenerWithRds('in', 'web', 9090)));
  assert.equal(moved.detail, 'it moves from tcp 127.0.0.1:8080 to tcp 127.0.0.1:9090');
  for (const [type, name] of [
    ['clusters', 'app'],
    ['routes', 'web'],
  ] as const) {
    const [broken] = await impactOf(remove(type, name));
    assert.deepEqual([broken.listener, broken.effect], ['in', 'broken'], type);
  }
  assert.equal((await impactOf(frame('in', listenerWithRds('in', 'nowhere'))))[0].effect, 'broken');
  assert.deepEqual(await impactOf(frame('in', { ...listenerWithRds('in', 'web'), stat_prefix: 'x' })), []);
});

test('a secret is never shown again: not by an answer, a plan, an event, an error or the store', async t => {
  const { put, plan, call, store } = await setUp(t);
  const mark = `S3CRET${randomBytes(4).toString('hex')}`;
  const certificate = (key: JsonObject): JsonObject => ({
    '@type': SECRET_TYPE,
    name: 'tls',
    tls_certificate: { certificate_chain: { inline_string: 'CHAIN' }, private_key: key },
  });
  const secret = certificate({ inline_string: mark });
  const answers = [
    await put('secrets', 'tls', secret),
    await put('secrets', 'tls', secret),
    await put('secrets', 'tls', certificate({ inline_string: `${mark}2` })),
    await put('secrets', 'tls', certificate({ inline_bytes: `${mark}!` })),
    await plan(frame('tls', certificate({ inline_string: `${mark}3` }))),
    await plan(frame('tls', certificate({ inline_string: `${mark}2` }))),
    await plan({ delete: { kind: 'EnvoyResource', type: 'secrets', name: 'tls' } }),
    await call('GET', '/v1/resources'),
    await call('GET', '/v1/resources/secrets/default/tls'),
    await call('GET', '/v1/nodes/edge-1'),
    await call('GET', '/v1/events'),
    await call('DELETE', '/v1/resources/secrets/default/tls?dryRun=true'),
  ].map(answer => ('body' in answer ? answer.body : answer));
  const [created, same, changed, wrong, otherPlan, samePlan, , , shown] = answers;
  assert.deepEqual([created.result, same.result, changed.result], ['created', 'unchanged', 'configured']);
  assert.equal(wrong.code, 'wrong-type');
  assert.equal(shown.spec.resource.tls_certificate.private_key, '[redacted]');
  assert.equal(shown.spec.resource.tls_certificate.certificate_chain.inline_string, 'CHAIN');
  assert.deepEqual(otherPlan.items[0].changes, [
    {
      path: 'spec.resource.tls_certificate.private_key',
      before: '"[redacted]"',
      after: '"[redacted], another one"',
    },
  ]);
  assert.equal(samePlan.differs, false);
  const stored = await store.list('ResourceSpec');
  assert.ok(!JSON.stringify([answers, stored]).includes(mark));
  assert.equal(typeof stored.records[0]?.value.sealed, 'string');

  const back = await put('secrets', 'tls', shown.spec.resource);
  assert.deepEqual([back.status, back.body.code], [422, 'redacted-value']);
});
