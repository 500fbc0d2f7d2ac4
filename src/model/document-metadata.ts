import type { DocumentPart } from './document-part.ts';

export const DEFAULT_NAMESPACE = 'default';
/** Plugins of this namespace select nodes of every one, unless the server's `root-namespace` is another. */
export const DEFAULT_ROOT_NAMESPACE = 'istio-system';

const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const NAMESPACE = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** Envoy's own names may have capitals and underscores. */
const RESOURCE_NAME = /^[A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9])?$/;

/** Fields of Kubernetes' ObjectMeta: taken, so that `kubectl get -o yaml` can be applied, and not kept. */
const OTHER_FIELDS = [
  'labels',
  'annotations',
  'uid',
  'generation',
  'resourceVersion',
  'creationTimestamp',
  'createdAt',
  'managedFields',
  'ownerReferences',
  'finalizers',
  'selfLink',
];

/** `metadata` of a document. `kind` decides which characters a name may have. */
export function readMetadata(
  root: DocumentPart,
  metadata: DocumentPart | undefined,
  kind: 'plugin' | 'resource',
): { readonly namespace: string; readonly name: string } {
  if (metadata === undefined) {
    root.at('metadata', undefined).missing('name', 'Write metadata: {name: …}');
    return { namespace: DEFAULT_NAMESPACE, name: '' };
  }
  const fields = metadata.fields(['name', 'namespace', ...OTHER_FIELDS]);
  const namespace = fields.get('namespace')?.text({
    max: 63,
    pattern: NAMESPACE,
    wants: 'a namespace: lower-case letters, digits and dashes',
  });
  const name = fields.get('name');
  if (name === undefined) metadata.missing('name');
  const rule =
    kind === 'plugin'
      ? { pattern: NAME, wants: 'a name: lower-case letters, digits, dashes and dots' }
      : { pattern: RESOURCE_NAME, wants: 'a name: letters, digits, dashes, dots and underscores' };
  return { namespace: namespace ?? DEFAULT_NAMESPACE, name: name?.text({ max: 253, ...rule }) ?? '' };
}

/** `selector: {matchLabels: {…}}`: strings only, no wildcards. */
export function readSelector(
  part: DocumentPart | undefined,
): { readonly matchLabels: Readonly<Record<string, string>> } | undefined {
  const labels = part?.fields(['matchLabels']).get('matchLabels');
  if (labels === undefined) return undefined;
  const matchLabels: [string, string][] = [];
  for (const [key, value] of labels.entries()) {
    const text = value.text({ max: 253 });
    if (text === undefined) continue;
    if (text.includes('*') || key.includes('*'))
      value.fault(
        'out-of-bounds',
        'a label selector takes no wildcard',
        'Leave the label out to match any value.',
      );
    matchLabels.push([key, text]);
  }
  return { matchLabels: Object.fromEntries(matchLabels) };
}
