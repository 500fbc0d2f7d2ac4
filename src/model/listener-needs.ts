import { isBuiltIn } from './missing-references.ts';
import type { ResourceSpec } from './resource.ts';
import { toEnvoyName } from './resource.ts';
import type { FindReferences, ResourceReference } from './resource-facts.ts';

/** What one node is to have, by type and Envoy name. */
export type ResourcesOfNode = ReadonlyMap<string, ResourceSpec>;

/** Of the documents for one node, the oldest for each name, as the node gets them. */
export function toResourcesOfNode(specs: readonly ResourceSpec[]): ResourcesOfNode {
  const byName = new Map<string, ResourceSpec>();
  for (const spec of specs) {
    const key = toKey({ type: spec.type, name: toEnvoyName(spec.resource) ?? '' });
    const known = byName.get(key);
    if (known === undefined || spec.createdAt < known.createdAt) byName.set(key, spec);
  }
  return byName;
}

export function listenersOf(resources: ResourcesOfNode): ReadonlyMap<string, ResourceSpec> {
  const listeners = [...resources.values()].filter(({ type }) => type === 'listeners');
  return new Map(listeners.map(spec => [toEnvoyName(spec.resource) ?? '', spec]));
}

/**
 * What a listener needs, by itself or through routes and clusters, and the node is not given by a document. Each as
 * `cluster app`, `endpoints of app`.
 */
export function findLacking(
  listener: ResourceSpec,
  resources: ResourcesOfNode,
  find: FindReferences,
): ReadonlySet<string> {
  const lacking = new Set<string>();
  const seen = new Set<ResourceSpec>();
  const visit = (spec: ResourceSpec): void => {
    if (seen.has(spec)) return;
    seen.add(spec);
    for (const reference of find(spec)) {
      const target = resources.get(toKey(reference));
      if (target !== undefined) visit(target);
      else if (!isBuiltIn(reference)) lacking.add(toText(reference));
    }
  };
  visit(listener);
  return lacking;
}

function toText({ type, name }: ResourceReference): string {
  return type === 'endpoints' ? `endpoints of ${name}` : `${type.replace(/s$/, '')} ${name}`;
}

function toKey({ type, name }: { readonly type: string; readonly name: string }): string {
  return `${type} ${name}`;
}
