import type { DocumentFault } from './document-error.ts';
import { DocumentPart } from './document-part.ts';
import { NODE_GROUP_KIND, type NodeGroupDocument, parseNodeGroupDocument } from './node-group-document.ts';
import { PLUGIN_KINDS, type PluginDocument, parsePluginDocument } from './plugin-document.ts';
import {
  PULL_SECRET_KINDS,
  type PullSecretDocument,
  parsePullSecretDocument,
} from './pull-secret-document.ts';
import {
  isBareResource,
  parseResourceDocument,
  RESOURCE_KIND,
  type ResourceDocument,
} from './resource-document.ts';

/** A document of any kind that Attaché takes. */
export type ParsedDocument =
  | { readonly kind: 'plugin'; readonly document: PluginDocument }
  | { readonly kind: 'resource'; readonly document: ResourceDocument }
  | { readonly kind: 'pullsecret'; readonly document: PullSecretDocument }
  | { readonly kind: 'nodegroup'; readonly document: NodeGroupDocument };

/** Chooses the parser by `kind` (or `@type`); faults as the parsers find them, or that the kind is not known. */
export function parseDocument(document: unknown): ParsedDocument | DocumentFault[] {
  const kind = kindOf(document);
  if (PLUGIN_KINDS.some(known => known.kind === kind)) {
    const parsed = parsePluginDocument(document);
    return Array.isArray(parsed) ? parsed : { kind: 'plugin', document: parsed };
  }
  if (kind === RESOURCE_KIND.kind || isBareResource(document)) {
    const parsed = parseResourceDocument(document);
    return Array.isArray(parsed) ? parsed : { kind: 'resource', document: parsed };
  }
  if (PULL_SECRET_KINDS.some(known => known.kind === kind)) {
    const parsed = parsePullSecretDocument(document);
    return Array.isArray(parsed) ? parsed : { kind: 'pullsecret', document: parsed };
  }
  if (kind === NODE_GROUP_KIND.kind) {
    const parsed = parseNodeGroupDocument(document);
    return Array.isArray(parsed) ? parsed : { kind: 'nodegroup', document: parsed };
  }
  const root = new DocumentPart(document);
  const known = [...PLUGIN_KINDS, RESOURCE_KIND, NODE_GROUP_KIND, ...PULL_SECRET_KINDS]
    .map(each => each.kind)
    .join(', ');
  const at = root.entries().length === 0 && root.faults.length > 0 ? undefined : root.at('kind', kind);
  at?.fault(
    kind === undefined ? 'missing-field' : 'unknown-kind',
    kind === undefined ? 'required, but missing' : `${JSON.stringify(kind)} is not a kind that Attaché takes`,
    `Known: ${known}; or an Envoy resource with @type`,
  );
  return root.faults;
}

function kindOf(document: unknown): unknown {
  return typeof document === 'object' && document !== null && 'kind' in document ? document.kind : undefined;
}
