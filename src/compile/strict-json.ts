import protobuf from 'protobufjs';
import type { JsonValue } from '../model/plugin-spec.ts';
import { isObject } from './decoded-listener.ts';
import { type KnownTypes, walkFields } from './json-walk.ts';

/**
 * A copy of a message with `@type` in strict proto3 JSON, of what Envoy's own reader takes beyond that: enum names in any case
 * (`type: strict_dns`), one thing in place of a list of it, and `{}` for no Any at all. https://protobuf.dev/programming-guides/json/
 */
export function toStrictJson(types: KnownTypes, any: JsonValue): JsonValue {
  const copy = structuredClone(any);
  walkFields(types, copy, ({ field, message, value, pointer }) => {
    const strict = toStrictValue(field, value);
    if (strict === undefined) delete (message as Record<string, JsonValue>)[toKey(pointer)];
    else if (strict !== value) (message as Record<string, JsonValue>)[toKey(pointer)] = strict;
    return true;
  });
  return copy;
}

/** Undefined: as if it were not there. */
function toStrictValue(field: protobuf.Field, value: JsonValue): JsonValue | undefined {
  const type = field.resolve().resolvedType;
  if (type?.fullName === '.google.protobuf.Any' && isObject(value) && Object.keys(value).length === 0)
    return undefined;
  const isList = field.repeated && !(field instanceof protobuf.MapField);
  if (type instanceof protobuf.Enum) {
    const named = Array.isArray(value) ? value.map(one => toName(type, one)) : toName(type, value);
    return isList && !Array.isArray(named) ? [named] : named;
  }
  const fits = type instanceof protobuf.Type ? isObject(value) : typeof value !== 'object';
  return isList && fits ? [value] : value;
}

function toName(type: protobuf.Enum, value: JsonValue): JsonValue {
  if (typeof value !== 'string' || Object.hasOwn(type.values, value)) return value;
  return Object.keys(type.values).find(name => name.toLowerCase() === value.toLowerCase()) ?? value;
}

/** The last element of a pointer. */
function toKey(pointer: string): string {
  return pointer
    .slice(pointer.lastIndexOf('/') + 1)
    .replaceAll('~1', '/')
    .replaceAll('~0', '~');
}
