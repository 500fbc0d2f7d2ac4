import { CONFIG_SCHEMA_SECTION, MAX_CONFIG_SCHEMA_BYTES } from '../../model/config-schema.ts';
import { toMessage } from '../../model/error.ts';
import { ModuleError } from '../module-error.ts';
import { WasmReader } from '../wasm-reader.ts';

/** A JSON schema as it came: an object, or true or false. What is in it is checked where it is used. */
export type ConfigSchema = Readonly<Record<string, unknown>> | boolean;

const PREAMBLE_BYTES = 8;

/**
 * The schema that a module brings for its configuration; undefined where it brings none. Throws ModuleError
 * `bad-config-schema` where it is no schema, `broken-wasm` where the bytes are no module.
 */
export function readConfigSchema(bytes: Uint8Array): ConfigSchema | undefined {
  const sections = findSections(bytes);
  if (sections.length > 1) throw badSchema('there are several');
  const [section] = sections;
  if (section === undefined) return undefined;
  if (section.length > MAX_CONFIG_SCHEMA_BYTES)
    throw badSchema(`it has ${section.length} bytes, ${MAX_CONFIG_SCHEMA_BYTES} are the most`);
  const schema = parse(section);
  if (typeof schema === 'boolean') return schema;
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema))
    throw badSchema('it is no JSON object');
  return schema as ConfigSchema;
}

/** A schema that cannot be used. */
export function badSchema(why: string): ModuleError {
  return new ModuleError('bad-config-schema', `the module brings a bad schema of its configuration: ${why}`, {
    hint: 'Its author has to correct config.schema.json and build it again.',
  });
}

function findSections(bytes: Uint8Array): readonly Uint8Array[] {
  const found: Uint8Array[] = [];
  const reader = new WasmReader(bytes, PREAMBLE_BYTES);
  while (!reader.done) {
    const id = reader.byte();
    const section = reader.part(reader.unsigned());
    const start = section.position;
    if (id !== 0) continue;
    const end = reader.position;
    // A custom section whose name is damaged is no concern of a host.
    const name = readName(section);
    if (name === CONFIG_SCHEMA_SECTION) found.push(bytes.subarray(Math.max(start, section.position), end));
  }
  return found;
}

function readName(section: WasmReader): string | undefined {
  try {
    return section.name();
  } catch {
    return undefined;
  }
}

function parse(text: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
  } catch (error) {
    throw badSchema(toMessage(error));
  }
}
