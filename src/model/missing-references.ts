import type { NodeIdentity } from './node.ts';
import { toCountText } from './quantity-text.ts';
import { type ResourceSpec, toEnvoyName } from './resource.ts';
import type { FindReferences, ResourceReference } from './resource-facts.ts';
import { selects } from './selector.ts';

/** Clusters that every Envoy of ours has without a document. */
const BUILT_IN: ReadonlySet<string> = new Set(['attache_modules', 'attache_xds']);

/** What a document needs and no other document gives to the nodes that it is for. */
export interface MissingReference {
  readonly reference: ResourceReference;
  /** Nodes that lack it, by id; empty: no node is selected yet, and no document has it at all. */
  readonly nodes: readonly string[];
}

/** Pure. `resources`: all documents there are, this one among them or not. */
export function findMissingReferences(
  spec: ResourceSpec,
  resources: Iterable<ResourceSpec>,
  nodes: readonly NodeIdentity[],
  find: FindReferences,
  rootNamespace: string,
): readonly MissingReference[] {
  const references = find(spec).filter(reference => !isBuiltIn(reference));
  if (references.length === 0) return [];
  const wanted = new Set(references.map(toKey));
  const giving = Map.groupBy(
    [...resources].filter(other => wanted.has(toKey(toGiven(other)))),
    other => toKey(toGiven(other)),
  );
  const selected = nodes.filter(node => selects(spec, node, rootNamespace));
  return references.flatMap(reference => {
    const givers = giving.get(toKey(reference)) ?? [];
    if (selected.length === 0) return givers.length === 0 ? [{ reference, nodes: [] }] : [];
    const without = selected.filter(node => !givers.some(giver => selects(giver, node, rootNamespace)));
    return without.length === 0 ? [] : [{ reference, nodes: without.map(({ id }) => id) }];
  });
}

export function isBuiltIn({ type, name }: Pick<ResourceReference, 'type' | 'name'>): boolean {
  return type === 'clusters' && BUILT_IN.has(name);
}

function toGiven(spec: ResourceSpec): { readonly type: string; readonly name: string } {
  return { type: spec.type, name: toEnvoyName(spec.resource) ?? '' };
}

function toKey({ type, name }: { readonly type: string; readonly name: string }): string {
  return `${type} ${name}`;
}

/** What happens while it is missing. */
const MEANWHILE: Readonly<Record<ResourceReference['type'], string>> = {
  clusters: 'requests to it are answered 503 until a document gives it; fine if their bootstrap has it',
  routes: 'the listener waits 15 s for it and answers 404 after that, until a document gives it',
  endpoints: 'the cluster has nobody to send requests to until a document gives it',
  secrets: 'no connection that needs it is accepted until a document gives it',
};

/** `listener default/ingress names cluster app, which no document gives to edge-1: …` */
export function toMissingText(word: string, { reference, nodes }: MissingReference): string {
  const { type, name } = reference;
  const whom =
    nodes.length === 0
      ? 'which no document has'
      : `which no document gives to ${nodes[0]}${nodes.length === 1 ? '' : ` and ${toCountText(nodes.length - 1, 'more node')}`}`;
  const one = type === 'endpoints' ? 'the endpoints' : type.replace(/s$/, '');
  return `${word} names ${one} ${name}, ${whom}: ${MEANWHILE[type]}`;
}
