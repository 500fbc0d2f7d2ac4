import type { DocumentFault } from './document-error.ts';
import { DEFAULT_NAMESPACE, readMetadata, readSelector } from './document-metadata.ts';
import { DocumentPart, toDefined } from './document-part.ts';
import { findNearestName } from './nearest-name.ts';
import { type JsonObject, sha256Hex } from './plugin-spec.ts';
import { type ResourceSpec, toEnvoyName } from './resource.ts';
import { XDS_TYPES, type XdsType } from './type-url.ts';

/** What a resource document says; the time of its creation is not its own. */
export type ResourceDocument = Omit<ResourceSpec, 'createdAt' | 'sealed'>;

export const RESOURCE_KIND = { apiVersion: 'attache/v1', kind: 'EnvoyResource' } as const;

/**
 * An EnvoyResource document `{metadata, selector, slots, resource}` (the last three under `spec` too), or a
 * bare Envoy resource with `@type`; or every fault found. Only the frame is checked here: what is inside
 * `resource` is checked against Envoy's API by CheckResource.
 */
export function parseResourceDocument(document: unknown): ResourceDocument | DocumentFault[] {
  const root = new DocumentPart(document);
  const parsed = isBareResource(document) ? readBare(root) : readFramed(root);
  return parsed === undefined || root.faults.length > 0 ? root.faults : parsed;
}

/** A document that is nothing but an Envoy resource. */
export function isBareResource(document: unknown): boolean {
  return typeof document === 'object' && document !== null && Object.hasOwn(document, '@type');
}

/** The row of the type table that a resource's `@type` names. */
export function findXdsType(resource: JsonObject): XdsType | undefined {
  const typeUrl = resource['@type'];
  return XDS_TYPES.find(type => type.typeUrl === typeUrl);
}

/** A bare resource is named after its Envoy name, which may hold characters that a document's name may not. */
function readBare(root: DocumentPart): ResourceDocument | undefined {
  const resource = root.json();
  if (resource === undefined) return undefined;
  const type = readType(root, resource);
  const envoyName = toEnvoyName(resource) ?? '';
  if (envoyName === '') root.missing('name');
  return type === undefined
    ? undefined
    : { type: type.plural, namespace: DEFAULT_NAMESPACE, name: toDocumentName(envoyName), resource };
}

function readFramed(root: DocumentPart): ResourceDocument | undefined {
  const inner = ['selector', 'slots', 'resource'];
  const fields = root.fields(['apiVersion', 'kind', 'metadata', 'spec', 'status', 'type', ...inner]);
  if (root.faults.some(fault => fault.pointer === '')) return undefined;
  checkKind(root, fields);
  const metadata = readMetadata(root, fields.get('metadata'), 'resource');
  const nested = fields.get('spec')?.fields(inner) ?? new Map<string, DocumentPart>();
  const pick = (name: string): DocumentPart | undefined => {
    if (fields.has(name) && nested.has(name))
      fields.get(name)?.fault('contradiction', `${name} stands here and under spec`);
    return fields.get(name) ?? nested.get(name);
  };
  const selector = readSelector(pick('selector'));
  const unanswered = pick('slots')?.fields(['unanswered']).get('unanswered')?.oneOf(['deny', 'allow']);
  const part = pick('resource');
  if (part === undefined) return root.missing('resource', 'Put the Envoy resource there, with its @type.');
  const resource = part.json();
  const type = resource === undefined ? undefined : readType(part, resource);
  if (resource === undefined || type === undefined) return undefined;
  if (unanswered !== undefined && type.plural !== 'listeners')
    pick('slots')?.fault('contradiction', 'only a listener has places for plugins');
  return toDefined({ type: type.plural, ...metadata, selector, unanswered, resource });
}

function checkKind(root: DocumentPart, fields: ReadonlyMap<string, DocumentPart>): void {
  for (const field of ['apiVersion', 'kind'] as const) {
    const part = fields.get(field) ?? root.at(field, undefined);
    if (part.value !== RESOURCE_KIND[field])
      part.fault('unknown-kind', 'not an Envoy resource', `Write ${field}: ${RESOURCE_KIND[field]}`);
  }
}

function readType(part: DocumentPart, resource: JsonObject): XdsType | undefined {
  const type = findXdsType(resource);
  if (type !== undefined) return type;
  const at = part.at('@type', resource['@type']);
  if (resource['@type'] === undefined)
    return at.fault('missing-field', 'required, but missing', `For instance ${XDS_TYPES[2]?.typeUrl}`);
  const text = at.text();
  if (text === undefined) return undefined;
  const near = findNearestName(
    text,
    XDS_TYPES.map(known => known.typeUrl),
  );
  return at.fault(
    'not-supported',
    `${text} is no resource that an Envoy can be sent by itself`,
    near === undefined
      ? `Known: ${XDS_TYPES.map(known => known.plural).join(', ')}`
      : `Did you mean ${near}?`,
  );
}

/** The Envoy name where it can stand in a path; otherwise a readable form of it with a hash to keep it apart. */
export function toDocumentName(envoyName: string): string {
  if (/^[A-Za-z0-9]([-A-Za-z0-9._]{0,251}[A-Za-z0-9])?$/.test(envoyName)) return envoyName;
  const readable = envoyName.replace(/[^A-Za-z0-9._]+/g, '-').replace(/^[-._]+|[-._]+$/g, '');
  return `${readable.slice(0, 200)}-${sha256Hex(envoyName).slice(0, 8)}`.replace(/^-/, 'r-');
}

/** The frame of a document that says what is stored; the other direction of `parseResourceDocument`. */
export function toResourceDocumentSpec(spec: ResourceDocument): {
  readonly selector?: JsonObject;
  readonly slots?: JsonObject;
  readonly resource: JsonObject;
} {
  return toDefined({
    selector: spec.selector === undefined ? undefined : { matchLabels: spec.selector.matchLabels },
    slots: spec.unanswered === undefined ? undefined : { unanswered: spec.unanswered },
    resource: spec.resource,
  });
}
