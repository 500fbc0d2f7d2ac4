/** Files of services as descriptors: complete, and every name in them is a full one. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import descriptor, { type IDescriptorProto, type IFileDescriptorProto } from 'protobufjs/ext/descriptor.js';
import { createFileDescriptors } from '../../../src/xds/reflection/file-descriptors.ts';
import { loadServiceProtos } from '../../../src/xds/reflection/service-protos.ts';

const protos = loadServiceProtos();
const descriptors = createFileDescriptors(protos);
const decode = (files: readonly Uint8Array[] = []): readonly IFileDescriptorProto[] =>
  files.map(bytes => descriptor.FileDescriptorProto.decode(bytes) as IFileDescriptorProto);
const all = protos.files.flatMap(({ path }) => decode(descriptors.byName(path)).slice(0, 1));

function* typeNames(messages: readonly IDescriptorProto[] = []): Iterable<string> {
  for (const { field = [], nestedType } of messages) {
    for (const { typeName } of field) if (typeName) yield typeName;
    yield* typeNames(nestedType);
  }
}

function declaredIn({ package: folder, messageType = [], enumType = [] }: IFileDescriptorProto): Set<string> {
  const names = new Set<string>();
  const visit = (messages: readonly IDescriptorProto[], prefix: string): void => {
    for (const { name, nestedType = [], enumType: enums = [] } of messages) {
      names.add(`${prefix}.${name}`);
      for (const it of enums) names.add(`${prefix}.${name}.${it.name}`);
      visit(nestedType, `${prefix}.${name}`);
    }
  };
  visit(messageType, `.${folder}`);
  for (const { name } of enumType) names.add(`.${folder}.${name}`);
  return names;
}

test('every type that a file uses is declared in it or in what it imports, under its full name', () => {
  for (const { path } of protos.files) {
    const [file, ...others] = decode(descriptors.byName(path));
    const known = new Set([file, ...others].flatMap(it => [...declaredIn(it ?? assert.fail())]));
    for (const name of typeNames(file?.messageType)) assert.ok(known.has(name), `${path}: ${name}`);
  }
});

test('a file comes once, and all that it imports comes with it', () => {
  for (const { path } of protos.files) {
    const names = decode(descriptors.byName(path)).map(({ name }) => name);
    assert.equal(names[0], path);
    assert.equal(new Set(names).size, names.length);
    for (const { dependency = [] } of decode(descriptors.byName(path)))
      for (const imported of dependency) assert.ok(names.includes(imported), `${path} needs ${imported}`);
  }
});

test('a map is a repeated message of the name that protoc gives it', () => {
  const struct = all.find(({ name }) => name === 'google/protobuf/struct.proto');
  const message = struct?.messageType?.find(({ name }) => name === 'Struct');
  assert.equal(message?.field?.[0]?.typeName, '.google.protobuf.Struct.FieldsEntry');
  assert.equal(message?.nestedType?.[0]?.options?.mapEntry, true);
  assert.equal(message?.nestedType?.[0]?.field?.[1]?.typeName, '.google.protobuf.Value');
});

test('a symbol is found by its full name, members too; what is not there is not', () => {
  const fileOf = (name: string): string | undefined => decode(descriptors.bySymbol(name))[0]?.name;
  const csds = 'envoy/service/status/v3/csds.proto';
  const service = 'envoy.service.status.v3.ClientStatusDiscoveryService';
  assert.equal(fileOf(service), csds);
  assert.equal(fileOf(`${service}.FetchClientStatus`), csds);
  assert.equal(fileOf('envoy.service.status.v3.ClientConfig.GenericXdsConfig'), csds);
  assert.equal(fileOf('envoy.service.status.v3.ClientConfig.GenericXdsConfig.type_url'), csds);
  assert.equal(
    fileOf('grpc.reflection.v1alpha.ServerReflection'),
    'grpc/reflection/v1alpha/reflection.proto',
  );
  for (const name of [
    '',
    'envoy',
    'envoy.service.status.v3',
    `${service}.No`,
    'envoy.config.core.v3.Node.no',
  ])
    assert.equal(fileOf(name), undefined, name);
});
