import type { NodeIdentity } from './node.ts';
import { compareAge, type ResourceSpec, toEnvoyName } from './resource.ts';
import { canMeet } from './selector.ts';

/** Two documents that give one node the same Envoy name; the older one is served. */
export interface NameConflict {
  readonly type: string;
  readonly envoyName: string;
  readonly kept: ResourceSpec;
  readonly dropped: ResourceSpec;
}

/**
 * Which of these documents give a node the same Envoy name: a known node that both select, or any node at all
 * where one of them selects everything that the other does. Pure.
 */
export function findNameConflicts(
  specs: readonly ResourceSpec[],
  nodes: readonly NodeIdentity[],
  rootNamespace: string,
): readonly NameConflict[] {
  const conflicts: NameConflict[] = [];
  for (const sameName of groupByName(specs).values())
    for (const [i, kept] of sameName.entries())
      for (const dropped of sameName.slice(i + 1))
        if (canMeet(kept, dropped, nodes, rootNamespace)) conflicts.push({ ...toName(kept), kept, dropped });
  return conflicts;
}

/** Of the documents for one node, the oldest for each Envoy name, and what that leaves out. Pure. */
export function keepOldest(specs: readonly ResourceSpec[]): {
  kept: readonly ResourceSpec[];
  conflicts: readonly NameConflict[];
} {
  const kept: ResourceSpec[] = [];
  const conflicts: NameConflict[] = [];
  for (const [first, ...younger] of groupByName(specs).values()) {
    if (first === undefined) continue;
    kept.push(first);
    for (const dropped of younger) conflicts.push({ ...toName(first), kept: first, dropped });
  }
  return { kept, conflicts };
}

/** Oldest first within a name. */
function groupByName(specs: readonly ResourceSpec[]): Map<string, ResourceSpec[]> {
  const groups = new Map<string, ResourceSpec[]>();
  for (const spec of [...specs].sort(compareAge)) {
    const { type, envoyName } = toName(spec);
    const key = `${type}\n${envoyName}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [spec]);
    else group.push(spec);
  }
  return groups;
}

function toName(spec: ResourceSpec): { type: string; envoyName: string } {
  return { type: spec.type, envoyName: toEnvoyName(spec.resource) ?? spec.name };
}
