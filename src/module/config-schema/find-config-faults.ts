import { createRequire } from 'node:module';
import { runInNewContext } from 'node:vm';
import type * as Schema from 'typebox/schema';
import { type Fault, toMessage } from '../../model/error.ts';
import { findNearestName } from '../../model/nearest-name.ts';
import type { JsonObject } from '../../model/plugin-spec.ts';
import { badSchema, type ConfigSchema } from './read-config-schema.ts';

/** Where in the document the configuration is. */
const CONFIGURATION = '/spec/pluginConfig';
/** A schema is somebody else's: a pattern in it can take for ever. */
const LIMIT_MS = 500;
const MAX_FAULTS = 8;

/** The library is loaded for the first module that brings a schema: few do, and it has 130 files. */
const require = createRequire(import.meta.url);

/** What a JSON schema library finds, as far as it is used here. */
interface SchemaError {
  readonly keyword: string;
  /** Of the schema: `#/properties/b`. */
  readonly schemaPath: string;
  /** Of the value: `/b`. */
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/**
 * What of a configuration does not fit the schema that its module brings, with pointers into the plugin's document; no
 * configuration counts as `{}`. Throws ModuleError `bad-config-schema` where the schema cannot be used.
 */
export function findConfigFaults(schema: ConfigSchema, config: JsonObject | undefined): readonly Fault[] {
  const value = config ?? {};
  const faults = guardDepth(() => findErrors(schema, value).flatMap(error => toFaults(error, schema, value)));
  const unique = new Map(faults.map(fault => [`${fault.pointer} ${fault.message}`, fault]));
  return [...unique.values()].slice(0, MAX_FAULTS);
}

/** Some kilobytes of brackets are nested deeper than functions can call each other. */
function guardDepth<T>(look: () => T): T {
  try {
    return look();
  } catch (error) {
    throw error instanceof RangeError ? badSchema('it is nested too deeply') : error;
  }
}

function findErrors(schema: ConfigSchema, value: unknown): readonly SchemaError[] {
  const elsewhere = findOutsideReference(schema);
  if (elsewhere !== undefined) throw badSchema(`it refers to ${elsewhere}, and nothing is fetched for it`);
  try {
    // The time limit of a context ends regular expressions too. Nothing of the schema is run as code.
    const { Errors } = require('typebox/schema') as typeof Schema;
    const check = () => Errors(schema as Parameters<typeof Errors>[0], value);
    const [isGood, errors] = runInNewContext('check()', { check }, { timeout: LIMIT_MS }) as ReturnType<
      typeof check
    >;
    return isGood ? [] : (errors as readonly unknown[] as readonly SchemaError[]);
  } catch (error) {
    // The error is one of that context.
    const isLate = toObject(error).code === 'ERR_SCRIPT_EXECUTION_TIMEOUT';
    throw badSchema(isLate ? `checking it takes more than ${LIMIT_MS} ms` : toMessage(error));
  }
}

function toFaults(error: SchemaError, schema: ConfigSchema, value: unknown): readonly Fault[] {
  const { keyword, instancePath, params, schemaPath } = error;
  const pointer = CONFIGURATION + instancePath;
  switch (keyword) {
    case 'required':
      return toNames(params.requiredProperties).map(name => ({ pointer, message: `${name} is missing` }));
    case 'additionalProperties': {
      // Of a schema for them its own faults are told.
      if (toObject(find(schema, schemaPath.slice(1))).additionalProperties !== false) return [];
      const known = toNames(Object.keys(toObject(toObject(find(schema, schemaPath.slice(1))).properties)));
      return toNames(params.additionalProperties).map(name => ({
        pointer: `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        message: 'unknown field',
        ...toNearestHint(name, known),
      }));
    }
    // The name that does not fit is told by itself.
    case 'propertyNames':
      return [];
    case 'boolean':
      return schemaPath.endsWith('/additionalProperties') ? [] : [{ pointer, message: 'is not allowed' }];
    case 'type':
      return [
        { pointer, message: `expected ${toTypeText(params.type)}, got ${kindOf(find(value, instancePath))}` },
      ];
    case 'enum':
      return [{ pointer, message: `expected one of ${toNames(params.allowedValues).join(', ')}` }];
    default:
      return [{ pointer, message: error.message }];
  }
}

function toNearestHint(name: string, known: readonly string[]): { readonly hint: string } | undefined {
  const nearest = findNearestName(name, known);
  if (nearest !== undefined) return { hint: `Did you mean ${nearest}?` };
  return known.length === 0 ? undefined : { hint: `There are ${known.join(', ')}.` };
}

function toNames(list: unknown): readonly string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

function toObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** A `$ref` to something that is not in the schema. */
function findOutsideReference(part: unknown): string | undefined {
  for (const [key, value] of Object.entries(toObject(part))) {
    if (key === '$ref' && typeof value === 'string' && !value.startsWith('#')) return value;
    const inside = findOutsideReference(value);
    if (inside !== undefined) return inside;
  }
  return undefined;
}

/** What a JSON pointer names; undefined where it names nothing. */
function find(value: unknown, pointer: string): unknown {
  const elements = pointer.split('/').slice(1);
  return elements.reduce<unknown>((at, element) => {
    const key = element.replaceAll('~1', '/').replaceAll('~0', '~');
    const object = toObject(at);
    return Object.hasOwn(object, key) ? object[key] : undefined;
  }, value);
}

function toTypeText(type: unknown): string {
  const words = (Array.isArray(type) ? type : [type]).map(String);
  return words
    .map(word => (/^[aeio]/.test(word) ? `an ${word}` : word === 'null' ? word : `a ${word}`))
    .join(' or ');
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}
