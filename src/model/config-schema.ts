/**
 * Where a module keeps the JSON schema of its configuration: a custom section of its own, which every host but ours
 * skips. https://webassembly.github.io/spec/core/binary/modules.html#custom-section
 */
export const CONFIG_SCHEMA_SECTION = 'attache.config-schema';

/** Of the schema's text, UTF-8. */
export const MAX_CONFIG_SCHEMA_BYTES = 64 << 10;

/** The module with a schema behind its sections; `schema` is JSON text. */
export function withConfigSchema(module: Uint8Array, schema: string): Uint8Array {
  const name = Buffer.from(CONFIG_SCHEMA_SECTION);
  const content = Buffer.concat([toUnsigned(name.length), name, Buffer.from(schema)]);
  return Buffer.concat([module, Buffer.of(0), toUnsigned(content.length), content]);
}

/** LEB128. */
function toUnsigned(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest]);
    bytes.push((rest & 0x7f) | 0x80);
  }
}
