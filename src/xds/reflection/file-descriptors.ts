import { createRequire } from 'node:module';
import protobuf from 'protobufjs';
import type descriptor from 'protobufjs/ext/descriptor.js';
import type { ProtoFile, ServiceProtos } from './service-protos.ts';

const require = createRequire(import.meta.url);

/**
 * What reflection answers with: the files as they are written, each with what it imports, without options and comments.
 * https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/descriptor.proto
 */
export interface FileDescriptors {
  /** The file of this import path and all that it needs, it first; undefined: there is none. */
  byName(path: string): readonly Uint8Array[] | undefined;
  /** The same for the file that declares a service, a method, a message, a field or an enum, by full name. */
  bySymbol(name: string): readonly Uint8Array[] | undefined;
}

export function createFileDescriptors({ root, files }: ServiceProtos): FileDescriptors {
  const byPath = new Map(files.map(file => [file.path, file]));
  const declaring = new Map(
    files.flatMap(({ path, packageName, declares }) =>
      declares.map(name => [`${packageName}.${name}`, path] as const),
    ),
  );
  const encoded = new Map<string, Uint8Array>();
  const encode = (file: ProtoFile): Uint8Array => {
    const known = encoded.get(file.path) ?? encodeFile(root, file);
    encoded.set(file.path, known);
    return known;
  };
  const byName = (path: string): readonly Uint8Array[] | undefined =>
    byPath.has(path) ? [...closureOf(path, byPath)].map(encode) : undefined;
  return {
    byName,
    bySymbol(name) {
      const path = findFile(root, declaring, name);
      return path === undefined ? undefined : byName(path);
    },
  };
}

/** Each file once, in the order in which it is met. */
function closureOf(path: string, byPath: ReadonlyMap<string, ProtoFile>): ReadonlySet<ProtoFile> {
  const found = new Set<ProtoFile>();
  const visit = (next: string): void => {
    const file = byPath.get(next);
    if (file === undefined || found.has(file)) return;
    found.add(file);
    file.imports.forEach(visit);
  };
  visit(path);
  return found;
}

/** Where a name is declared: a member is in the file of what holds it. */
function findFile(
  root: protobuf.Root,
  declaring: ReadonlyMap<string, string>,
  name: string,
): string | undefined {
  const parts = name.split('.');
  const length = parts.findIndex((_, i) => declaring.has(parts.slice(0, i + 1).join('.'))) + 1;
  if (length === 0) return undefined;
  let object: unknown = root.lookup(parts.slice(0, length));
  for (const part of parts.slice(length))
    object = object instanceof protobuf.Namespace ? object.get(part) : null;
  return object === null ? undefined : declaring.get(parts.slice(0, length).join('.'));
}

function encodeFile(root: protobuf.Root, file: ProtoFile): Uint8Array {
  const { path, packageName, syntax, imports, declares } = file;
  const own = declares.map(name => root.lookup(`${packageName}.${name}`));
  const messages = own.filter(it => it instanceof protobuf.Type);
  // Loaded when somebody asks: 15 ms of CPU.
  const { FileDescriptorProto }: typeof descriptor = require('protobufjs/ext/descriptor.js');
  return FileDescriptorProto.encode(
    FileDescriptorProto.create({
      name: path,
      package: packageName,
      dependency: [...imports],
      messageType: messages.map(type => toMessage(type, syntax)),
      enumType: own.filter(it => it instanceof protobuf.Enum).map(it => it.toDescriptor()),
      service: own.filter(it => it instanceof protobuf.Service).map(it => it.toDescriptor()),
      // proto2 is said by saying nothing.
      ...(syntax === 'proto3' ? { syntax } : {}),
    }),
  ).finish();
}

function toMessage(type: protobuf.Type, syntax: ProtoFile['syntax']): descriptor.IDescriptorProto {
  const message = type.toDescriptor(syntax);
  qualify(type, message);
  return message;
}

/** Clients want full names, with a dot before them; protobufjs shortens them as far as its own search finds them. */
function qualify(type: protobuf.Type, message: descriptor.IDescriptorProto): void {
  // In the same order; the names may differ, as the well-known types are kept under those of JSON.
  for (const [i, field] of (message.field ?? []).entries()) {
    const declared = type.fieldsArray[i];
    if (declared === undefined) continue;
    const typeName = declared.resolve().resolvedType?.fullName;
    if (declared instanceof protobuf.MapField) {
      const entry = message.nestedType?.find(({ name }) => name === field.typeName);
      const value = entry?.field?.find(({ name }) => name === 'value');
      if (value !== undefined && typeName !== undefined) value.typeName = typeName;
      if (entry !== undefined) entry.name = toEntryName(declared.name);
      field.typeName = `${type.fullName}.${toEntryName(declared.name)}`;
    } else if (typeName !== undefined) field.typeName = typeName;
  }
  for (const nested of type.nestedArray) {
    const inner = message.nestedType?.find(({ name }) => name === nested.name);
    if (nested instanceof protobuf.Type && inner !== undefined) qualify(nested, inner);
  }
}

/** The name that protoc gives to the message in which a map's pair stands; clients insist on it. */
function toEntryName(field: string): string {
  const words = field.split('_').map(word => word.slice(0, 1).toUpperCase() + word.slice(1));
  return `${words.join('')}Entry`;
}
