import protobuf from 'protobufjs';
import descriptor from 'protobufjs/ext/descriptor.js';

/**
 * A FileDescriptorSet of .proto texts by import path, as protoc writes it: names of types are full ones, each field
 * says its JSON name. Types of files that are not given must be written with their full names.
 */
export function toProtoset(files: Readonly<Record<string, string>>): Uint8Array {
  const { FileDescriptorSet, FileDescriptorProto } = descriptor;
  const file = Object.entries(files).map(([path, text]) => {
    const root = new protobuf.Root();
    const { package: packageName = '', imports = [] } = protobuf.parse(text, root);
    const scope = packageName === '' ? root : root.lookup(packageName);
    const nested = scope instanceof protobuf.Namespace ? scope.nestedArray : [];
    return FileDescriptorProto.create({
      name: path,
      package: packageName,
      dependency: imports,
      syntax: 'proto3',
      messageType: nested.filter(it => it instanceof protobuf.Type).map(toMessage),
      enumType: nested.filter(it => it instanceof protobuf.Enum).map(it => it.toDescriptor()),
    });
  });
  return FileDescriptorSet.encode(FileDescriptorSet.create({ file })).finish();
}

type Scalar = keyof typeof SCALARS;
const SCALARS = { bool: 8, string: 9, bytes: 12, uint32: 13, int32: 5, double: 1, int64: 3 } as const;

/** By hand: protobufjs writes a descriptor only of what it can resolve, and imports are not there. */
function toMessage(type: protobuf.Type): object {
  const maps = type.fieldsArray.filter(field => field instanceof protobuf.MapField);
  return {
    name: type.name,
    field: type.fieldsArray.map(field => toField(type, field)),
    oneofDecl: type.oneofsArray.map(({ name }) => ({ name })),
    nestedType: [
      ...type.nestedArray.filter(it => it instanceof protobuf.Type).map(toMessage),
      ...maps.map(map => ({
        name: toEntryName(map),
        options: { mapEntry: true },
        field: [
          { name: 'key', number: 1, label: 1, ...toType(type, map.keyType) },
          { name: 'value', number: 2, label: 1, ...toType(type, map.type) },
        ],
      })),
    ],
    enumType: type.nestedArray.filter(it => it instanceof protobuf.Enum).map(it => it.toDescriptor()),
  };
}

function toField(type: protobuf.Type, field: protobuf.Field): object {
  const isMap = field instanceof protobuf.MapField;
  const oneof = field.partOf ?? null;
  return {
    name: field.protoName ?? field.name,
    jsonName: field.name,
    number: field.id,
    label: isMap || field.rule === 'repeated' ? 3 : 1,
    ...(isMap ? { type: 11, typeName: `${type.fullName}.${toEntryName(field)}` } : toType(type, field.type)),
    ...(oneof === null ? {} : { oneofIndex: type.oneofsArray.indexOf(oneof) }),
    ...(oneof?.name.startsWith('_') ? { proto3Optional: true } : {}),
  };
}

/** A name with a dot is a full one; others are looked for from the message outwards, or are the message's neighbours. */
function toType(type: protobuf.Type, name: string): object {
  const scalar = SCALARS[name as Scalar];
  if (scalar !== undefined) return { type: scalar };
  const found = type.lookup(name);
  const typeName = found?.fullName ?? `.${name}`;
  return { type: found instanceof protobuf.Enum ? 14 : 11, typeName };
}

function toEntryName(field: protobuf.Field): string {
  const name = field.name;
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}Entry`;
}
