import { AttacheError } from '../model/error.ts';
import { type CheckedResource, type ResourceSpec, resourceKey } from '../model/resource.ts';
import { isBareResource, parseResourceDocument, type ResourceDocument } from '../model/resource-document.ts';
import { sealResource } from '../model/resource-secret.ts';
import type { ApiContext } from './api-context.ts';
import { DocumentRejected } from './document-rejected.ts';
import { checkPath, isObject, withPathNamespace } from './read-document.ts';

/** Which resource a request is about. */
export interface ResourcePath {
  /** `listeners`, `clusters` … */
  readonly type: string;
  readonly namespace: string;
  readonly name: string;
}

/** A resource document that is in order by itself. */
export interface CheckedDocument {
  /** As it is stored: secrets are closed. Its time is that of its reading. */
  readonly spec: ResourceSpec;
  /** As it was written, secrets and all; for comparisons, never for an answer. */
  readonly resource: ResourceSpec['resource'];
  readonly warnings: readonly string[];
  /** Where the Envoy resource stands in the document. */
  readonly pointer: string;
}

/**
 * Reads a document for a path and checks it down to Envoy's own API; a bare Envoy resource is called what the path
 * says. Codes: DocumentErrorCode, those of CheckResource, `name-mismatch`.
 */
export async function checkDocument(
  context: ApiContext,
  path: ResourcePath & { readonly message: string | undefined },
  body: unknown,
): Promise<CheckedDocument> {
  const document = readResource(path, body);
  const { message } = path;
  const written: ResourceSpec = {
    ...document,
    ...(message === undefined ? {} : { message }),
    createdAt: context.clock.now(),
  };
  const pointer = toResourcePointer(body);
  const { warnings, sensitive } = await check(context, written, pointer);
  const stored = sealResource(context.seal, resourceKey(document), document.resource, sensitive);
  return { spec: { ...written, ...stored }, resource: document.resource, warnings, pointer };
}

function readResource({ type, namespace, name }: ResourcePath, body: unknown): ResourceDocument {
  const parsed = parseResourceDocument(withPathNamespace(body, namespace));
  if (Array.isArray(parsed)) throw new DocumentRejected(parsed);
  const named = isBareResource(body) ? { ...parsed, namespace, name } : parsed;
  const pointers = {
    type: `${toResourcePointer(body)}/@type`,
    namespace: '/metadata/namespace',
    name: '/metadata/name',
  };
  checkPath({ ...named }, { type, namespace, name }, pointers);
  return named;
}

function toResourcePointer(document: unknown): string {
  if (!isObject(document) || isBareResource(document)) return '';
  return isObject(document.spec) && document.resource === undefined ? '/spec/resource' : '/resource';
}

/** CheckResource, with its faults pointing into the whole document. */
async function check(context: ApiContext, spec: ResourceSpec, pointer: string): Promise<CheckedResource> {
  try {
    return await context.checkResource(spec);
  } catch (thrown) {
    throw withPointer(thrown, pointer);
  }
}

/** An error whose faults point into what begins at `pointer`, as one that points into the whole. */
export function withPointer(thrown: unknown, pointer: string): unknown {
  if (!(thrown instanceof AttacheError)) return thrown;
  const faults = thrown.faults.map(fault => ({ ...fault, pointer: pointer + fault.pointer }));
  const hint = thrown.hint === undefined ? {} : { hint: thrown.hint };
  return new AttacheError(thrown.code, thrown.message, { faults, ...hint });
}
