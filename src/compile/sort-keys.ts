import type { JsonValue } from '../model/plugin-spec.ts';

/** The same value with the keys of every object sorted, so that maps encode to the same bytes every time. */
export function sortKeys(value: JsonValue): JsonValue {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(sortKeys);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return Object.fromEntries(entries.map(([key, part]) => [key, sortKeys(part as JsonValue)]));
}
