import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CompileError } from '../../src/compile/compile-error.ts';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { thrownBy } from '../harness/thrown-by.ts';
import { HCM, LISTENER, makeListener, registry } from './compile-samples.ts';

test('a resource survives the way to bytes and back, also in a registry that has loaded nothing yet', () => {
  const bytes = registry.encodeAny(makeListener());
  const back = new ProtoRegistry().decodeAny(bytes);
  assert.equal(back.name, 'ingress');
  assert.deepEqual(Buffer.from(registry.encodeAny(back)), Buffer.from(bytes));
});

test('snake case and camel case, and any order of keys, give the same bytes', () => {
  const resource = (keys: string[]) => ({
    '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
    name: 'c',
    metadata: { filter_metadata: Object.fromEntries(keys.map(key => [key, { [key]: 1, b: [true, null] }])) },
  });
  const camel = {
    ...resource(['x', 'a']),
    metadata: { filterMetadata: resource(['a', 'x']).metadata.filter_metadata },
  };
  assert.deepEqual(registry.encodeAny(resource(['a', 'x'])), registry.encodeAny(camel));
  assert.deepEqual(registry.encodeAny(resource(['x', 'a'])), registry.encodeAny(camel));
});

test('an unknown field has a pointer, also inside an Any, and a suggestion', () => {
  const listener = makeListener();
  const error = thrownBy(CompileError, () =>
    registry.encodeAny({
      ...listener,
      filter_chain: [],
      default_filter_chain: { filters: [{ name: 'x', typed_config: { '@type': HCM, 'stat/prefx': 'a' } }] },
    }),
  );
  assert.equal(error.code, 'unknown-field');
  assert.deepEqual(
    error.faults.map(({ pointer, hint }) => [pointer, hint]),
    [
      ['/filter_chain', 'did you mean filter_chains?'],
      ['/default_filter_chain/filters/0/typed_config/stat~1prefx', 'did you mean stat_prefix?'],
    ],
  );
});

test('an unknown type has a pointer and a suggestion', () => {
  const error = thrownBy(CompileError, () =>
    registry.encodeAny(makeListener({ filters: [{ name: 'r', typed_config: { '@type': `${HCM}x` } }] })),
  );
  assert.equal(error.code, 'unknown-type');
  const [fault] = error.faults;
  assert.equal(fault?.pointer, '/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/@type');
  assert.match(fault?.hint ?? '', /HttpConnectionManager\? /);
});

test('every wrong value is found, each at its place', () => {
  const error = thrownBy(CompileError, () =>
    registry.encodeAny({
      '@type': LISTENER,
      name: 7,
      address: { socket_address: { address: '::', port_value: 'http' }, pipe: { path: '/x' } },
      per_connection_buffer_limit_bytes: 'much',
      listener_filters_timeout: '5 seconds',
      traffic_direction: 'UP',
      filter_chains: 7,
      metadata: { filter_metadata: { a: 1 } },
    }),
  );
  assert.equal(error.code, 'wrong-type');
  assert.deepEqual(
    error.faults.map(fault => fault.pointer),
    [
      '/name',
      '/address/socket_address/port_value',
      '/address/pipe',
      '/per_connection_buffer_limit_bytes',
      '/listener_filters_timeout',
      '/traffic_direction',
      '/filter_chains',
      '/metadata/filter_metadata/a',
    ],
  );
});

test('types with a JSON form of their own stand below value in an Any', () => {
  const json = { '@type': 'type.googleapis.com/google.protobuf.StringValue', value: 'x' };
  assert.deepEqual(registry.decodeAny(registry.encodeAny(json)), json);
  const error = thrownBy(CompileError, () => registry.encodeAny({ ...json, value: 1 }));
  assert.deepEqual(
    error.faults.map(fault => fault.pointer),
    ['/value'],
  );
});

test('nothing that is not a type name is looked for', () => {
  for (const name of ['', 'x', '../../etc.Passwd', '__proto__.X', 'envoy..X', 'constructor'])
    assert.equal(registry.find(name), undefined, name);
});

test('a type whose file imports something that is not installed is unknown and spoils nothing', () => {
  const fresh = new ProtoRegistry();
  assert.equal(fresh.find('envoy.config.trace.v3.OpenCensusConfig'), undefined);
  assert.ok(fresh.find('envoy.config.rbac.v3.RBAC'));
  assert.ok(fresh.encodeAny(makeListener()).length > 0);
});

test('overlays add what the API package lacks: fields, oneof members, enums and whole types', () => {
  const wasm = registry.lookup('envoy.extensions.wasm.v3.PluginConfig');
  assert.equal(wasm.fields.failurePolicy?.id, 7);
  assert.equal(wasm.fields.reloadConfig?.id, 8);
  assert.ok(registry.find('envoy.extensions.filters.http.filter_chain.v3.FilterChainConfig'));
  const principal = registry.lookup('envoy.config.rbac.v3.Principal');
  assert.equal(principal.fields.custom?.partOf?.name, 'identifier');
  const both = { any: true, custom: { name: 'x' } };
  assert.equal(
    thrownBy(CompileError, () => registry.encode('envoy.config.rbac.v3.Principal', both)).code,
    'wrong-type',
  );
});

test('nesting without end is an error of ours, not an overflow', () => {
  let value: JsonObject = {};
  for (let i = 0; i < 20_000; i++) value = { a: value };
  const nested = { '@type': LISTENER, name: 'x', metadata: { filter_metadata: { a: value } } };
  assert.equal(thrownBy(CompileError, () => registry.encodeAny(nested)).code, 'wrong-type');
});

test('a suggestion needs nothing loaded: the package itself is looked through', () => {
  const fresh = new ProtoRegistry();
  const near = fresh.suggestType('type.googleapis.com/envoy.config.listener.v3.Listner');
  assert.equal(near, 'envoy.config.listener.v3.Listener');
  assert.equal(fresh.suggestType('nothing of the kind'), undefined);
});

test('what we composed ourselves has the same bytes, also before its types are loaded, and the same faults', () => {
  const fresh = new ProtoRegistry();
  const checked = registry.encodeAny(makeListener());
  assert.deepEqual(fresh.encodeOwn(makeListener()), checked);
  assert.deepEqual(fresh.encodeOwn(makeListener()), checked);
  const wrong = { ...makeListener(), no_such_field: 1 };
  const faultsOfOwn = thrownBy(CompileError, () => fresh.encodeOwn(wrong));
  assert.deepEqual(faultsOfOwn.faults, thrownBy(CompileError, () => fresh.encodeAny(wrong)).faults);
});
