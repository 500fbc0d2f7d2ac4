import protobuf from 'protobufjs';
import protojson from 'protobufjs/ext/protojson.js';
import { areFull, type Fault, toMessage, toMoreText } from '../model/error.ts';
import { findNearestName } from '../model/nearest-name.ts';
import type { JsonObject, JsonValue } from '../model/plugin-spec.ts';
import { CompileError, type CompileErrorCode } from './compile-error.ts';

/** Finds types that an Any names, loading them if need be. */
export interface TypeSource {
  find(typeUrl: string): protobuf.Type | undefined;
  suggestType(typeUrl: string): string | undefined;
}

/** A fault with the error code it amounts to. */
export interface JsonFault extends Fault {
  readonly code: CompileErrorCode;
}

/** Every place where JSON is not the proto3 JSON of a message; empty: it can be encoded. */
export function findFaults(types: TypeSource, type: protobuf.Type, json: JsonValue): readonly JsonFault[] {
  const faults: JsonFault[] = [];
  checkMessage({ types, faults }, type, json, '');
  return faults;
}

/** One error for all faults; its code is the first one's, its message says where that is. */
export function toCompileError(faults: readonly JsonFault[]): CompileError {
  const first = faults[0];
  if (first === undefined) throw new RangeError('no fault to report');
  const more = faults.length === 1 ? '' : ` (${toMoreText(faults)})`;
  const at = first.pointer === '' ? '' : `${first.pointer}: `;
  return new CompileError(first.code, `${at}${first.message}${more}`, {
    faults,
    ...(first.hint === undefined ? {} : { hint: first.hint }),
  });
}

interface Walk {
  readonly types: TypeSource;
  readonly faults: JsonFault[];
}

function checkMessage(walk: Walk, type: protobuf.Type, json: JsonValue, pointer: string): void {
  if (type.fullName === '.google.protobuf.Any') checkAny(walk, json, pointer);
  else if (type.fullName.startsWith('.google.protobuf.'))
    checkLeaf(walk, () => protojson.fromJson(type, json), pointer);
  else if (!isObject(json)) addWrongType(walk, pointer, `expected an object (${type.fullName.slice(1)})`);
  else checkFields(walk, type, json, pointer);
}

function checkAny(walk: Walk, json: JsonValue, pointer: string): void {
  const typeUrl = isObject(json) ? json['@type'] : undefined;
  if (!isObject(json) || typeof typeUrl !== 'string') {
    addWrongType(walk, pointer, 'expected an object with @type, a text');
    return;
  }
  const type = walk.types.find(typeUrl);
  if (type === undefined) {
    addUnknownType(walk, typeUrl, `${pointer}/@type`);
    return;
  }
  const { '@type': _, ...body } = json;
  if (isWrapped(type)) checkMessage(walk, type, body.value ?? null, `${pointer}/value`);
  else checkFields(walk, type, body, pointer);
}

/** Types with a JSON form of their own stand below `value` in an Any. */
function isWrapped(type: protobuf.Type): boolean {
  return type.fullName.startsWith('.google.protobuf.') && type.fullName !== '.google.protobuf.Empty';
}

function checkFields(walk: Walk, type: protobuf.Type, json: JsonObject, pointer: string): void {
  const fields = fieldsByJsonName(type);
  const seen = new Map<protobuf.Field | protobuf.OneOf, string>();
  for (const [key, value] of Object.entries(json)) {
    const at = `${pointer}/${escapePointer(key)}`;
    const field = fields.get(key);
    if (field === undefined) addUnknownField(walk, type, key, at);
    else if (value !== null) {
      const slot = field.partOf ?? field;
      const other = seen.get(slot);
      if (other !== undefined) addWrongType(walk, at, `${key} and ${other} cannot both be set`);
      seen.set(slot, key);
      checkField(walk, type, field, value, at);
    }
  }
}

function checkField(
  walk: Walk,
  type: protobuf.Type,
  field: protobuf.Field,
  value: JsonValue,
  at: string,
): void {
  const inner = field.resolve().resolvedType;
  const message = inner instanceof protobuf.Type ? inner : undefined;
  if (field instanceof protobuf.MapField && message !== undefined && isObject(value)) {
    for (const [key, part] of Object.entries(value))
      checkMessage(walk, message, part, `${at}/${escapePointer(key)}`);
  } else if (field.repeated && Array.isArray(value)) {
    for (const [i, part] of value.entries())
      if (message !== undefined) checkMessage(walk, message, part, `${at}/${i}`);
      else checkLeaf(walk, () => protojson.fromJson(type, { [field.name]: [part] }), `${at}/${i}`);
  } else if (message !== undefined && !field.repeated && !(field instanceof protobuf.MapField)) {
    checkMessage(walk, message, value, at);
  } else checkLeaf(walk, () => protojson.fromJson(type, { [field.name]: value }), at);
}

/** Numbers, enums, durations and the like: the reader itself decides, alone with that one field. */
function checkLeaf(walk: Walk, read: () => unknown, pointer: string): void {
  try {
    read();
  } catch (thrown) {
    addWrongType(walk, pointer, toMessage(thrown).replace(/^\.?[\w.]*\.(\w+): /, '$1: '));
  }
}

function fieldsByJsonName(type: protobuf.Type): Map<string, protobuf.Field> {
  const names = new Map<string, protobuf.Field>();
  for (const field of type.fieldsArray)
    for (const name of [field.name, field.jsonName, field.protoName]) names.set(name ?? field.name, field);
  return names;
}

function addUnknownField(walk: Walk, type: protobuf.Type, key: string, pointer: string): void {
  if (areFull(walk.faults)) return;
  const names = type.fieldsArray.map(field => field.protoName ?? field.name);
  const near = findNearestName(key, names);
  const message = `${type.fullName.slice(1)} has no field ${key}`;
  const hint = near === undefined ? `${sayFields(names)}. ${FIELD_WAY_OUT}` : `did you mean ${near}?`;
  walk.faults.push({ code: 'unknown-field', pointer, message, hint });
}

const FIELD_WAY_OUT = 'A field of a newer Envoy: attache serve --protoset FILE (docs/resources.md)';
const TYPE_WAY_OUT =
  'No descriptor has it: give the server its API with attache serve --protoset FILE (docs/resources.md)';
/** Fields that an error names; the largest messages have some fifty. */
const FIELDS_NAMED = 12;

function sayFields(names: readonly string[]): string {
  if (names.length === 0) return 'It has no fields';
  const more = names.length > FIELDS_NAMED ? ` and ${names.length - FIELDS_NAMED} more` : '';
  return `It has ${names.slice(0, FIELDS_NAMED).join(', ')}${more}`;
}

function addUnknownType(walk: Walk, typeUrl: string, pointer: string): void {
  if (areFull(walk.faults)) return;
  const message = `unknown type ${typeUrl}`;
  const near = walk.types.suggestType(typeUrl);
  const hint = near === undefined ? TYPE_WAY_OUT : `did you mean ${near}? ${TYPE_WAY_OUT}`;
  walk.faults.push({ code: 'unknown-type', pointer, message, hint });
}

function addWrongType(walk: Walk, pointer: string, message: string): void {
  if (!areFull(walk.faults)) walk.faults.push({ code: 'wrong-type', pointer, message });
}

function isObject(json: JsonValue): json is JsonObject {
  return json !== null && typeof json === 'object' && !Array.isArray(json);
}

/** RFC 6901: `~` and `/` are escaped. */
function escapePointer(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
