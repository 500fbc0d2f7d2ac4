import assert from 'node:assert/strict';
import { test } from 'node:test';
import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';
import { CompileError } from '../../src/compile/compile-error.ts';
import { installedProtoFiles } from '../../src/compile/proto-files.ts';
import { ProtoRegistry } from '../../src/compile/proto-registry.ts';
import { readProtosets } from '../../src/compile/protoset.ts';
import { findSensitive } from '../../src/compile/sensitive-fields.ts';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { thrownBy } from '../harness/thrown-by.ts';
import { registry as known, makeListener } from './compile-samples.ts';
import { toProtoset } from './protoset-sample.ts';

const SHADE = `syntax = "proto3"; package acme.filters.v3;
import "envoy/config/core/v3/base.proto";
import "google/protobuf/duration.proto";
import "google/protobuf/any.proto";
import "buf/validate/validate.proto";
message Shade {
  string tint_name = 1;
  envoy.config.core.v3.DataSource source = 2;
  google.protobuf.Duration fade = 3;
  map<string, Layer> layers = 4;
  oneof how { bool dark = 5; Depth depth = 6; }
  optional uint32 count = 7;
  repeated google.protobuf.Any more = 8;
  message Layer { double weight = 1; }
  enum Depth { FLAT = 0; DEEP = 1; }
}
`;
const CORE = `syntax = "proto3"; package envoy.config.core.v3;
message DataSource {
  oneof specifier { string filename = 1; string from_the_moon = 77; }
  int32 renamed_inline_bytes = 2;
}
`;
const VALIDATE = 'syntax = "proto3"; package buf.validate; message Rule { string id = 1; }';
const files = {
  'acme/filters/v3/shade.proto': SHADE,
  'envoy/config/core/v3/base.proto': CORE,
  'buf/validate/validate.proto': VALIDATE,
};
const SHADE_TYPE = 'type.googleapis.com/acme.filters.v3.Shade';

function registryOf(...sets: readonly Readonly<Record<string, string>>[]): ProtoRegistry {
  const sources = sets.map((set, i) => ({ path: `${i}.binpb`, bytes: toProtoset(set) }));
  return new ProtoRegistry(installedProtoFiles(), readProtosets(sources));
}

function filtered(config: JsonObject): JsonObject {
  return makeListener({ filters: [{ name: 'shade', typed_config: config }] });
}

const shade = {
  '@type': SHADE_TYPE,
  tint_name: 'grey',
  source: { inline_string: 'x' },
  fade: '1.5s',
  layers: { a: { weight: 0.5 } },
  depth: 'DEEP',
  count: 0,
  more: [{ '@type': SHADE_TYPE, dark: true }],
};

test('a type that only a protoset has is a type like any other, deep in a listener too', () => {
  const registry = registryOf(files);
  const bytes = registry.encodeAny(filtered(shade));
  const decoded = JSON.stringify(registry.decodeAny(bytes));
  for (const part of ['"tintName":"grey"', '"fade":"1.500s"', '"depth":"DEEP"', '"count":0', '"dark":true'])
    assert.ok(decoded.includes(part), `${part} in ${decoded}`);
});

test('what is wrong inside such a type has its place, and a way out', () => {
  const registry = registryOf(files);
  const error = thrownBy(CompileError, () =>
    registry.encodeAny(filtered({ ...shade, tint: 'x', layers: { a: { weight: 'much' } }, dark: true })),
  );
  const at = '/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config';
  assert.deepEqual(
    error.faults.map(({ pointer }) => pointer.replace(at, '')),
    ['/layers/a/weight', '/tint', '/dark'],
  );
  assert.match(error.faults[1]?.hint ?? '', /--protoset|did you mean/);
});

test('without the protoset the type is unknown, and the error says how to make it known', () => {
  const error = thrownBy(CompileError, () => known.encodeAny(filtered(shade)));
  assert.equal(error.code, 'unknown-type');
  assert.match(error.faults[0]?.hint ?? '', /attache serve --protoset FILE/);
  assert.equal(
    error.faults[0]?.pointer,
    '/filter_chains/0/filters/0/typed_config/http_filters/0/typed_config/@type',
  );
});

test('a protoset adds fields to types that we know, and replaces none', () => {
  const registry = registryOf(files);
  const type = registry.lookup('envoy.config.core.v3.DataSource');
  assert.equal(type.fields.fromTheMoon?.id, 77);
  assert.equal(type.fields.fromTheMoon?.partOf?.name, 'specifier');
  assert.equal(type.fieldsById[2]?.name, 'inlineBytes');
  assert.deepEqual(
    Buffer.from(registry.encodeAny(makeListener())),
    Buffer.from(known.encodeAny(makeListener())),
  );
});

test('a message that stands in another file there than here is one message', () => {
  const moved = {
    'envoy/config/core/v3/elsewhere.proto': CORE,
    'acme/v3/a.proto': `syntax = "proto3"; package acme.v3; import "envoy/config/core/v3/elsewhere.proto";
      message A { envoy.config.core.v3.DataSource source = 1; }`,
  };
  const registry = registryOf(moved);
  assert.ok(registry.encode('acme.v3.A', { source: { from_the_moon: 'x' } }).length > 0);
  assert.ok(registry.encode('acme.v3.A', { source: { inline_string: 'x' } }).length > 0);
  assert.ok(registry.encodeAny(makeListener()).length > 0);
});

test('of several protosets all count, the first one first', () => {
  const message = (field: string) => ({
    'b/b.proto': `syntax = "proto3"; package b; message B { string ${field} = 1; }`,
  });
  const registry = registryOf(message('one'), message('two'), files);
  assert.deepEqual(Object.keys(registry.lookup('b.B').fields), ['one']);
  assert.ok(registry.find(SHADE_TYPE));
});

test('a set without what its files import leaves those types unknown and the others alone', () => {
  const { 'buf/validate/validate.proto': _, ...incomplete } = files;
  const registry = registryOf(incomplete);
  assert.equal(registry.find(SHADE_TYPE), undefined);
  assert.ok(registry.encodeAny(makeListener()).length > 0);
});

test('what a descriptor marks as sensitive is so, also deep in a type', () => {
  const { FieldOptions, FileDescriptorSet } = descriptor;
  // As protoc writes it: an extension that this reader does not know.
  const options = FieldOptions.decode(
    protobuf.Writer.create()
      .uint32((76_569_463 << 3) >>> 0)
      .bool(true)
      .finish(),
  );
  assert.ok(options);
  const field = (name: string, number: number, more: object = {}) => ({
    name,
    number,
    label: 1,
    type: 9,
    ...more,
  });
  const set = FileDescriptorSet.encode(
    FileDescriptorSet.create({
      file: [
        {
          name: 'k.proto',
          package: 'k.v1',
          syntax: 'proto3',
          messageType: [
            {
              name: 'K',
              field: [field('open', 1), field('inner', 2, { type: 11, typeName: '.k.v1.K.Inner' })],
              nestedType: [{ name: 'Inner', field: [field('key', 1, { options })] }],
            },
          ],
        },
      ],
    }),
  ).finish();
  const registry = new ProtoRegistry(installedProtoFiles(), readProtosets([{ path: 'k', bytes: set }]));
  const json = { '@type': 'x/k.v1.K', open: 'a', inner: { key: 'S3CRET' } };
  assert.deepEqual(findSensitive(registry, json), ['/inner/key']);
});

test('a file that is no FileDescriptorSet is refused at the start', () => {
  const { FileDescriptorSet } = descriptor;
  const broken = FileDescriptorSet.encode(
    FileDescriptorSet.create({
      file: [
        {
          name: 'x.proto',
          messageType: [{ name: 'X', field: [{ name: 'y', number: 1, label: 1, typeName: '. ' }] }],
        },
      ],
    }),
  ).finish();
  for (const bytes of [Buffer.from('node:\n  id: x\n'), Buffer.alloc(0), Buffer.from([8, 1]), broken]) {
    const error = thrownBy(CompileError, () => readProtosets([{ path: 'a.binpb', bytes }]));
    assert.equal(error.code, 'bad-protoset');
    assert.match(error.message, /--protoset a\.binpb/);
    assert.match(error.hint ?? '', /buf build/);
  }
});
