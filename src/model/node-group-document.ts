import type { DocumentFault } from './document-error.ts';
import { readMetadata, readSelector } from './document-metadata.ts';
import { DocumentPart, toDefined } from './document-part.ts';
import type { NodeGroup } from './node-group.ts';

/** What a document with a group says. */
export type NodeGroupDocument = Omit<NodeGroup, 'by' | 'createdAt'>;

export const NODE_GROUP_KIND = { apiVersion: 'attache/v1', kind: 'NodeGroup' } as const;

/** A NodeGroup document, or every fault in it, each with its JSON pointer. */
export function parseNodeGroupDocument(document: unknown): NodeGroupDocument | DocumentFault[] {
  const root = new DocumentPart(document);
  const fields = root.fields(['apiVersion', 'kind', 'metadata', 'spec', 'status']);
  if (root.faults.some(fault => fault.pointer === '')) return root.faults;
  checkKind(root, fields);
  const metadata = readMetadata(root, fields.get('metadata'), 'plugin');
  const spec = fields.get('spec');
  const members = spec === undefined ? root.missing('spec', WHO) : readMembers(spec);
  return root.faults.length > 0 ? root.faults : { ...metadata, ...members };
}

const WHO = 'Write spec: {selector: {matchLabels: {…}}}, or spec: {nodes: [id, …]}';

function checkKind(root: DocumentPart, fields: ReadonlyMap<string, DocumentPart>): void {
  for (const key of ['apiVersion', 'kind'] as const) {
    const part = fields.get(key) ?? root.at(key, undefined);
    if (part.value !== NODE_GROUP_KIND[key])
      part.fault('unknown-kind', 'not a node group', `Write ${key}: ${NODE_GROUP_KIND[key]}`);
  }
}

/** Who forgets to say which would have all of them. */
function readMembers(spec: DocumentPart): Omit<NodeGroupDocument, 'namespace' | 'name'> {
  const fields = spec.fields(['selector', 'nodes']);
  const selector = readSelector(fields.get('selector'));
  const nodes = fields
    .get('nodes')
    ?.items(1000)
    .map(item => item.text({ min: 1, max: 256 }))
    .filter(text => text !== undefined);
  const labels = Object.keys(selector?.matchLabels ?? {}).length;
  if (labels === 0 && !fields.has('nodes')) spec.missing('selector', WHO);
  if (nodes?.length === 0) fields.get('nodes')?.fault('out-of-bounds', 'no node is named', WHO);
  return toDefined({ selector: labels === 0 ? undefined : selector, nodes });
}
