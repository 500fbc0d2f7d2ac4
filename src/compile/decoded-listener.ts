import type { JsonObject, JsonValue } from '../model/plugin-spec.ts';
import { HTTP_CONNECTION_MANAGER_TYPE } from './filter-types.ts';

// Listeners here are proto3 JSON as the registry decodes it: camelCase, Any expanded by `@type`.

/** The listener with the `httpFilters` of each HTTP connection manager replaced. */
export function mapHttpFilters(
  listener: JsonObject,
  change: (filters: readonly JsonObject[]) => readonly JsonObject[],
): JsonObject {
  const mapFilter = (filter: JsonObject): JsonObject => {
    const config = filter.typedConfig;
    if (!isObject(config) || config['@type'] !== HTTP_CONNECTION_MANAGER_TYPE) return filter;
    return { ...filter, typedConfig: { ...config, httpFilters: change(toObjects(config.httpFilters)) } };
  };
  const mapChain = (chain: JsonObject): JsonObject => ({
    ...chain,
    filters: toObjects(chain.filters).map(mapFilter),
  });
  const fallback = listener.defaultFilterChain;
  return {
    ...listener,
    filterChains: toObjects(listener.filterChains).map(mapChain),
    ...(isObject(fallback) ? { defaultFilterChain: mapChain(fallback) } : {}),
  };
}

/** How many HTTP connection managers a decoded listener has, and how many of them have no filter at all. */
export function countConnectionManagers(listener: JsonObject): { all: number; withoutFilters: number } {
  const counts = { all: 0, withoutFilters: 0 };
  mapHttpFilters(listener, filters => {
    counts.all++;
    if (filters.length === 0) counts.withoutFilters++;
    return filters;
  });
  return counts;
}

function toObjects(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** Whether JSON is an object: not null, not an array. */
export function isObject(value: JsonValue | undefined): value is JsonObject {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
