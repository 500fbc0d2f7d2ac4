import protobuf from 'protobufjs';
import type { JsonObject, JsonValue } from '../model/plugin-spec.ts';
import { isObject } from './decoded-listener.ts';

/** A field that is set somewhere in a resource. */
export interface SetField {
  /** The message that has it, and its JSON. */
  readonly type: protobuf.Type;
  readonly message: JsonObject;
  readonly field: protobuf.Field;
  readonly value: JsonValue;
  /** RFC 6901, into the resource. */
  readonly pointer: string;
}

/** As far as a walk needs types: undefined where nobody declares one. */
export interface KnownTypes {
  find(typeUrl: string): protobuf.Type | undefined;
}

/**
 * Visits every field that a message with `@type` sets, from the outside in, messages inside an Any too. The JSON may be
 * written in any of proto3's forms and may be wrong: what fits no type is passed over. `visit` answers whether to go on into it.
 */
export function walkFields(types: KnownTypes, any: JsonValue, visit: (at: SetField) => boolean): void {
  walkAny({ types, visit }, any, '', 0);
}

interface Walk {
  readonly types: KnownTypes;
  readonly visit: (at: SetField) => boolean;
}

/** As deep as Envoy's own parser goes. */
const DEEPEST = 100;

function walkAny(walk: Walk, json: JsonValue, at: string, depth: number): void {
  if (!isObject(json) || typeof json['@type'] !== 'string') return;
  const type = walk.types.find(json['@type']);
  if (type !== undefined) walkMessage(walk, type, json, at, depth);
}

function walkMessage(walk: Walk, type: protobuf.Type, json: JsonValue, at: string, depth: number): void {
  if (!isObject(json) || depth > DEEPEST) return;
  if (type.fullName === '.google.protobuf.Any') walkAny(walk, json, at, depth);
  if (type.fullName.startsWith('.google.protobuf.')) return;
  for (const [key, value] of Object.entries(json)) {
    const field = findField(type, key);
    if (field === undefined || value === null) continue;
    const pointer = `${at}/${escapePointer(key)}`;
    if (walk.visit({ type, message: json, field, value, pointer }))
      walkField(walk, field, value, pointer, depth + 1);
  }
}

function walkField(walk: Walk, field: protobuf.Field, value: JsonValue, at: string, depth: number): void {
  const inner = field.resolve().resolvedType;
  if (!(inner instanceof protobuf.Type)) return;
  if (Array.isArray(value))
    for (const [i, part] of value.entries()) walkMessage(walk, inner, part, `${at}/${i}`, depth);
  else if (field instanceof protobuf.MapField && isObject(value))
    for (const [key, part] of Object.entries(value))
      walkMessage(walk, inner, part, `${at}/${escapePointer(key)}`, depth);
  else walkMessage(walk, inner, value, at, depth);
}

/** By the name in the proto, or either form of its JSON name. */
function findField(type: protobuf.Type, key: string): protobuf.Field | undefined {
  const known = Object.hasOwn(type.fields, key) ? type.fields[key] : undefined;
  return known ?? type.fieldsArray.find(({ protoName, jsonName }) => protoName === key || jsonName === key);
}

function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
