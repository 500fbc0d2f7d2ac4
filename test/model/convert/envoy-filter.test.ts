import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convertDocuments } from '../../../src/model/convert/convert-documents.ts';

const TYPE = 'type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm';
const CODE = { remote: { http_uri: { uri: 'https://a.example/a.wasm' }, sha256: 'a'.repeat(64) } };
const STRING = 'type.googleapis.com/google.protobuf.StringValue';

const filter = (name: string, config: object = {}) => ({
  name: 'envoy.filters.http.wasm',
  typed_config: { '@type': TYPE, config: { name, vm_config: { code: CODE }, ...config } },
});

/** A patch with a filter of this name; `beside`: the filter that it is put beside. */
const patch = (name: string, operation: string, beside?: string, rest: object = {}) => ({
  applyTo: 'HTTP_FILTER',
  match:
    beside === undefined
      ? {}
      : { listener: { filterChain: { filter: { name: 'hcm', subFilter: { name: beside } } } } },
  patch: { operation, value: filter(name), ...rest },
});

/** The specs of the plugins by name, and all notes as `level code`. */
function convert(configPatches: readonly object[]) {
  const document = {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'EnvoyFilter',
    metadata: { name: 'f', namespace: 'shop' },
    spec: { configPatches },
  };
  const [only] = convertDocuments([document]);
  const specs = (only?.plugins ?? []).map(
    ({ document: { metadata, spec } }) => [metadata.name, spec] as const,
  );
  const notes = (only?.notes ?? []).map(({ level, code }) => [level, code].join(' ').trim());
  return { specs: Object.fromEntries(specs), notes };
}

test('where a patch puts a filter is a phase', () => {
  const rows = [
    ['INSERT_FIRST', undefined, 'AUTHN'],
    ['INSERT_BEFORE', undefined, 'AUTHN'],
    ['INSERT_BEFORE', 'envoy.filters.http.jwt_authn', 'AUTHN'],
    ['INSERT_AFTER', 'envoy.filters.http.jwt_authn', 'AUTHZ'],
    ['INSERT_BEFORE', 'envoy.filters.http.rbac', 'AUTHZ'],
    ['INSERT_AFTER', 'envoy.filters.http.rbac', 'STATS'],
    ['INSERT_BEFORE', 'istio.stats', 'STATS'],
    ['INSERT_BEFORE', 'envoy.filters.http.router', undefined],
    ['INSERT_BEFORE', 'envoy.router', undefined],
    ['INSERT_AFTER', undefined, undefined],
    ['ADD', undefined, undefined],
  ] as const;
  for (const [operation, beside, phase] of rows) {
    const { specs, notes } = convert([patch('a', operation, beside)]);
    assert.deepEqual([specs.a?.phase, notes], [phase, []], `${operation} ${beside}`);
  }
  const classes = [
    ['AUTHN', 'AUTHZ'],
    ['AUTHZ', 'STATS'],
    ['STATS', 'STATS'],
    ['UNSPECIFIED', undefined],
  ] as const;
  for (const [filterClass, phase] of classes)
    assert.equal(convert([patch('a', 'ADD', undefined, { filterClass })]).specs.a?.phase, phase);
  const elsewhere = convert([patch('a', 'INSERT_AFTER', 'envoy.filters.http.cors')]);
  assert.deepEqual([elsewhere.specs.a?.phase, elsewhere.notes], [undefined, ['warning']]);
});

test('what changes or removes a filter is refused', () => {
  for (const operation of ['MERGE', 'REMOVE', 'REPLACE'])
    assert.deepEqual(convert([patch('a', operation)]).notes, ['error not-a-wasm-filter']);
});

test('the order of patches becomes priorities, the higher ones first in the chain', () => {
  const jwt = 'envoy.filters.http.jwt_authn';
  const router = 'envoy.filters.http.router';
  const { specs } = convert([
    patch('late', 'INSERT_AFTER', jwt),
    patch('early', 'INSERT_AFTER', jwt),
    patch('last', 'INSERT_BEFORE', 'envoy.filters.http.rbac'),
    patch('one', 'INSERT_BEFORE', router),
    patch('two', 'INSERT_BEFORE', router),
    patch('alone', 'INSERT_FIRST'),
  ]);
  const priorities = Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, spec.priority]));
  assert.deepEqual(priorities, { late: 20, early: 30, last: 10, one: 20, two: 10, alone: undefined });
});

test('a filter in several patches is one plugin, with the traffic of all', () => {
  const at = (context: string) => ({ ...patch('a', 'INSERT_FIRST'), match: { context } });
  const both = convert([at('SIDECAR_OUTBOUND'), at('GATEWAY'), at('SIDECAR_INBOUND')]);
  assert.deepEqual(both.specs.a?.match, [{ mode: 'CLIENT' }, { mode: 'SERVER' }]);
  const all = convert([at('GATEWAY'), at('ANY')]);
  assert.deepEqual(Object.entries(all.specs).length, 1);
  assert.equal(all.specs.a?.match, undefined);
});

test('every form of a configuration becomes the object that it is', () => {
  const configured = (configuration: unknown) =>
    convert([{ ...patch('a', 'ADD'), patch: { operation: 'ADD', value: filter('a', { configuration }) } }]);
  const wanted = { key: [1, 'two'] };
  const text = JSON.stringify(wanted);
  const bytes = 'type.googleapis.com/google.protobuf.BytesValue';
  const struct = 'type.googleapis.com/google.protobuf.Struct';
  for (const one of [
    text,
    wanted,
    { '@type': STRING, value: text },
    { '@type': bytes, value: Buffer.from(text).toString('base64') },
    { '@type': struct, value: wanted },
  ])
    assert.deepEqual(configured(one).specs.a?.pluginConfig, wanted);
  for (const none of ['', ' \n', { '@type': STRING, value: '' }, { '@type': STRING }, null])
    assert.equal(configured(none).specs.a?.pluginConfig, undefined);
  for (const bad of ['world', '[1]', '7', { '@type': STRING, value: 'x' }, { '@type': 'a.B', value: 1 }, 7])
    assert.deepEqual(configured(bad).notes, ['error text-configuration'], JSON.stringify(bad));
});

test('the filter is found in whatever it is wrapped in', () => {
  const inner = { config: { name: 'a', vm_config: { code: CODE } } };
  const value = (wrapped: object) =>
    convert([{ applyTo: 'HTTP_FILTER', patch: { operation: 'ADD', value: wrapped } }]);
  for (const wrapped of [
    { name: 'x', typed_config: { '@type': TYPE, ...inner } },
    {
      name: 'x',
      typedConfig: { '@type': 'type.googleapis.com/udpa.type.v1.TypedStruct', type_url: TYPE, value: inner },
    },
    {
      name: 'x',
      typed_config: { '@type': 'type.googleapis.com/xds.type.v3.TypedStruct', typeUrl: TYPE, value: inner },
    },
    { name: 'envoy.filters.http.wasm', config: inner },
  ])
    assert.deepEqual(Object.keys(value(wrapped).specs), ['a']);
});

test('plugins that shared a VM are told that they no longer do', () => {
  const shared = (name: string) => ({
    ...patch(name, 'ADD'),
    patch: { operation: 'ADD', value: filter(name, { vm_config: { vm_id: 'v', code: CODE } }) },
  });
  assert.deepEqual(convert([shared('a')]).notes, ['note']);
  assert.deepEqual(convert([shared('a'), shared('b')]).notes, ['warning', 'warning']);
});
