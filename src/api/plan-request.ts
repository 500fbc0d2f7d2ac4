import { parseDocument } from '../model/document.ts';
import { DEFAULT_NAMESPACE } from '../model/document-metadata.ts';
import { DocumentPart } from '../model/document-part.ts';
import { MOST_FAULTS } from '../model/error.ts';
import type { NodeGroupDocument } from '../model/node-group-document.ts';
import type { PluginDocument } from '../model/plugin-document.ts';
import type { ResourceDocument } from '../model/resource-document.ts';
import { XDS_TYPES } from '../model/type-url.ts';
import { DocumentRejected } from './document-rejected.ts';
import { isObject } from './read-document.ts';

/** One thing that is to be planned. */
export type PlanItem =
  | {
      readonly kind: 'plugin';
      readonly document: PluginDocument;
      /** Where it stands in the request. */
      readonly pointer: string;
    }
  | {
      readonly kind: 'resource';
      readonly document: ResourceDocument;
      readonly body: unknown;
      readonly pointer: string;
    }
  /** It changes no node by itself: plugins of the list are planned as if it were stored. */
  | { readonly kind: 'nodegroup'; readonly document: NodeGroupDocument }
  | PlanDelete;

export interface PlanDelete {
  readonly kind: 'delete';
  /** undefined: a plugin. */
  readonly type: string | undefined;
  readonly namespace: string;
  readonly name: string;
  readonly now: boolean;
}

const MOST_DOCUMENTS = 500;

/**
 * One document, a list, or `{documents: [...]}`; a list may hold `{delete: {kind, namespace, name}}` beside documents.
 * Throws DocumentRejected with the faults of all of them.
 */
export function readPlanRequest(body: unknown): PlanItem[] {
  const root = new DocumentPart(body);
  const items = findItems(root).map(readItem);
  if (root.faults.length > 0) throw new DocumentRejected(root.faults);
  return items.filter(item => item !== undefined);
}

function findItems(root: DocumentPart): readonly DocumentPart[] {
  if (Array.isArray(root.value)) return root.items(MOST_DOCUMENTS);
  if (!isObject(root.value) || !('documents' in root.value)) return [root];
  return root.fields(['documents']).get('documents')?.items(MOST_DOCUMENTS) ?? [];
}

function readItem(part: DocumentPart): PlanItem | undefined {
  if (part.isFull) return undefined;
  if (isObject(part.value) && 'delete' in part.value) return readDelete(part);
  const parsed = parseDocument(part.value);
  if (Array.isArray(parsed)) {
    const room = MOST_FAULTS - part.faults.length;
    const told = parsed.slice(0, room).map(fault => ({ ...fault, pointer: part.pointer + fault.pointer }));
    part.faults.push(...told);
    return undefined;
  }
  if (parsed.kind === 'pullsecret')
    return part.fault('not-supported', 'a pull secret changes no node, so that there is nothing to plan');
  if (parsed.kind === 'nodegroup') return parsed;
  const { pointer } = part;
  return parsed.kind === 'plugin' ? { ...parsed, pointer } : { ...parsed, body: part.value, pointer };
}

function readDelete(part: DocumentPart): PlanItem | undefined {
  const target = part.fields(['delete']).get('delete');
  if (target === undefined) return part.missing('delete');
  const fields = target.fields(['kind', 'type', 'namespace', 'name', 'now']);
  if (!fields.has('name')) target.missing('name');
  const kind = fields.get('kind')?.oneOf(['Plugin', 'WasmPlugin', 'EnvoyResource']);
  const type = fields.get('type')?.oneOf(XDS_TYPES.map(row => row.plural));
  if (kind === 'EnvoyResource' && !fields.has('type'))
    target.missing('type', 'Which kind of Envoy resource: listeners, clusters …');
  const now = fields.get('now');
  if (now !== undefined && typeof now.value !== 'boolean') now.fault('wrong-type', 'expected true or false');
  return {
    kind: 'delete',
    type: kind === 'EnvoyResource' ? type : undefined,
    namespace: fields.get('namespace')?.text({ min: 1, max: 63 }) ?? DEFAULT_NAMESPACE,
    name: fields.get('name')?.text({ min: 1, max: 253 }) ?? '',
    now: now?.value === true,
  };
}
