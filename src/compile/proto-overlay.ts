import protobuf from 'protobufjs';

/** An overlay file stands beside the files of its package and is merged into them. */
export const OVERLAY_FILE = 'overlay.proto';

/**
 * Adds what an overlay declares to the types already loaded: a message of the same full name gains the fields,
 * oneof members and nested types it lacks, an enum gains values; everything else is new. A field whose number
 * or name is there already replaces it.
 * @returns the overlay's imports
 */
export function mergeOverlay(root: protobuf.Root, source: string, path: string): readonly string[] {
  const overlay = new protobuf.Root();
  try {
    const parsed = protobuf.parse(source, overlay);
    for (const child of overlay.nestedArray) mergeInto(root, child, replaceField);
    return parsed.imports ?? [];
  } catch (cause) {
    throw new Error(`${path}: ${String(cause)}`, { cause });
  }
}

/** Adds types to a package as an overlay does, but replaces nothing. */
export function addMissing(
  parent: protobuf.NamespaceBase,
  types: readonly (protobuf.Type | protobuf.Enum)[],
): void {
  for (const type of types) mergeInto(parent, type, addField);
}

type MergeField = (present: protobuf.Type, field: protobuf.Field) => void;

function mergeInto(
  parent: protobuf.NamespaceBase,
  child: protobuf.ReflectionObject,
  mergeField: MergeField,
): void {
  const present = parent.get(child.name);
  if (present === null) parent.add(child);
  else if (present instanceof protobuf.Type && child instanceof protobuf.Type) {
    for (const nested of child.nestedArray) mergeInto(present, nested, mergeField);
    for (const field of child.fieldsArray) mergeField(present, field);
  } else if (present instanceof protobuf.Enum && child instanceof protobuf.Enum) mergeEnum(present, child);
  else if (present instanceof protobuf.Namespace && child instanceof protobuf.Namespace)
    for (const grandchild of child.nestedArray) mergeInto(present, grandchild, mergeField);
}

function replaceField(present: protobuf.Type, field: protobuf.Field): void {
  const former = present.fieldsById[field.id];
  if (former !== undefined) present.remove(former);
  const namesake = present.get(field.name);
  if (namesake !== null) present.remove(namesake);
  moveField(present, field);
}

function addField(present: protobuf.Type, field: protobuf.Field): void {
  const names = present.fieldsArray.flatMap(({ name, protoName }) => [name, protoName]);
  const isThere =
    present.fieldsById[field.id] !== undefined ||
    [field.name, field.protoName].some(name => name !== undefined && names.includes(name));
  if (!isThere && present.get(field.name) === null) moveField(present, field);
}

function moveField(present: protobuf.Type, field: protobuf.Field): void {
  const oneof = field.partOf;
  present.add(field);
  if (oneof) joinOneof(present, oneof.name, field);
}

function joinOneof(present: protobuf.Type, name: string, field: protobuf.Field): void {
  const oneof = present.oneofs?.[name] ?? new protobuf.OneOf(name);
  if (oneof.parent === null) present.add(oneof);
  oneof.add(field);
}

function mergeEnum(present: protobuf.Enum, added: protobuf.Enum): void {
  for (const [name, id] of Object.entries(added.values))
    if (!(name in present.values) && !(id in present.valuesById)) present.add(name, id);
}
