import { ApiError } from './api-error.ts';

/**
 * A document without a namespace takes the path's; a bare Envoy resource has no metadata and takes the path's
 * name too (by way of its caller).
 */
export function withPathNamespace(document: unknown, namespace: string): unknown {
  if (!isObject(document) || !isObject(document.metadata)) return document;
  if (document.metadata.namespace !== undefined && document.metadata.namespace !== null) return document;
  return { ...document, metadata: { ...document.metadata, namespace } };
}

/** Throws `name-mismatch` unless the document is the one that the path names. */
export function checkPath(
  document: Readonly<Record<string, unknown>>,
  path: Readonly<Record<string, string>>,
  pointers: Readonly<Record<string, string>>,
): void {
  const faults = Object.entries(path)
    .filter(([field, wanted]) => document[field] !== wanted)
    .map(([field, wanted]) => ({
      pointer: pointers[field] ?? '',
      message: `is ${JSON.stringify(document[field])}, but the path says ${JSON.stringify(wanted)}`,
    }));
  if (faults.length > 0)
    throw new ApiError('name-mismatch', 'the document is not the one that the path names', { faults });
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
