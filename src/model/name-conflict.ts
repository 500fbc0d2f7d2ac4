import type { NodeIdentity } from './node.ts';
import type { ResourceSpec } from './resource.ts';
import { toEnvoyName } from './resource-document.ts';
import { selects } from './selector.ts';

type Named = Pick<ResourceSpec, 'type' | 'namespace' | 'name' | 'selector' | 'resource'>;

export interface NameConflict {
  readonly other: { readonly namespace: string; readonly name: string };
  readonly envoyName: string;
  /** A known node that both select; undefined: any node that one selects, the other does too. */
  readonly node: string | undefined;
}

/**
 * Documents that would give one node the same Envoy name as `candidate`: a known node is selected by both, or
 * one selects everything that the other does.
 */
export function findNameConflicts(
  candidate: Named,
  all: readonly Named[],
  nodes: readonly NodeIdentity[],
  rootNamespace: string,
): readonly NameConflict[] {
  const envoyName = toEnvoyName(candidate.resource);
  return all.flatMap(other => {
    const itself = other.namespace === candidate.namespace && other.name === candidate.name;
    if (other.type !== candidate.type || itself || toEnvoyName(other.resource) !== envoyName) return [];
    const both = nodes.find(
      node => selects(candidate, node, rootNamespace) && selects(other, node, rootNamespace),
    );
    const nested = covers(candidate, other, rootNamespace) || covers(other, candidate, rootNamespace);
    if (both === undefined && !nested) return [];
    return [{ other: { namespace: other.namespace, name: other.name }, envoyName, node: both?.id }];
  });
}

/** Whether every node that `narrow` can select is selected by `wide`. */
function covers(wide: Named, narrow: Named, rootNamespace: string): boolean {
  const narrowLabels = new Map(Object.entries(narrow.selector?.matchLabels ?? {}));
  return (
    (wide.namespace === rootNamespace || wide.namespace === narrow.namespace) &&
    Object.entries(wide.selector?.matchLabels ?? {}).every(([key, value]) => narrowLabels.get(key) === value)
  );
}
