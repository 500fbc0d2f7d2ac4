import protobuf from 'protobufjs';
import type { JsonObject, JsonValue } from '../model/plugin-spec.ts';
import { REDACTED, type ShowResource } from '../model/show-resource.ts';
import type { ProtoRegistry } from './proto-registry.ts';
import { isSensitive } from './sensitive-mark.ts';

/** The port by which the api shows what an Envoy was sent. Everything that Envoy's API marks as sensitive is blotted out. */
export function makeShowResource(registry: ProtoRegistry): ShowResource {
  return any => {
    const redacted: string[] = [];
    const walk: Walk = { registry, redacted };
    const json = blotAny(walk, registry.decodeAny(any), '');
    return { json: json as JsonObject, redacted };
  };
}

interface Walk {
  readonly registry: ProtoRegistry;
  readonly redacted: string[];
}

function blotAny(walk: Walk, json: JsonValue, at: string): JsonValue {
  if (!isObject(json)) return json;
  const type = walk.registry.find(String(json['@type']));
  return type === undefined ? json : blotMessage(walk, type, json, at);
}

function blotMessage(walk: Walk, type: protobuf.Type, json: JsonValue, at: string): JsonValue {
  if (type.fullName === '.google.protobuf.Any') return blotAny(walk, json, at);
  if (!isObject(json)) return json;
  const parts = Object.entries(json).map(([key, value]): [string, JsonValue] => {
    const field = type.fields[key] ?? type.fieldsArray.find(({ jsonName }) => jsonName === key);
    const pointer = `${at}/${escapePointer(key)}`;
    return [key, field === undefined ? value : blotField(walk, field, value, pointer)];
  });
  return Object.fromEntries(parts);
}

function blotField(walk: Walk, field: protobuf.Field, value: JsonValue, at: string): JsonValue {
  if (isSensitive(field)) {
    walk.redacted.push(at);
    return REDACTED;
  }
  const inner = field.resolve().resolvedType;
  if (!(inner instanceof protobuf.Type)) return value;
  if (Array.isArray(value)) return value.map((part, i) => blotMessage(walk, inner, part, `${at}/${i}`));
  if (!(field instanceof protobuf.MapField) || !isObject(value)) return blotMessage(walk, inner, value, at);
  const parts = Object.entries(value).map(([key, part]) => [
    key,
    blotMessage(walk, inner, part, `${at}/${escapePointer(key)}`),
  ]);
  return Object.fromEntries(parts) as JsonObject;
}

function isObject(json: JsonValue): json is JsonObject {
  return json !== null && typeof json === 'object' && !Array.isArray(json);
}

/** RFC 6901. */
function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
