import type { JsonObject, JsonValue } from './plugin-spec.ts';

/**
 * A document with a JSON merge patch laid over it: objects are merged key by key, null takes a key away, everything
 * else replaces what was there, lists too. https://www.rfc-editor.org/rfc/rfc7396#section-2
 */
export function mergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isJsonObject(patch)) return patch;
  const merged = new Map(isJsonObject(target) ? Object.entries(target) : []);
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key);
    else merged.set(key, mergePatch(merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
