import type { NodeIdentity } from './node.ts';
import type { ResourceSpec } from './resource.ts';

/** Two documents that give one node the same Envoy name; the older one, `kept`, is served. */
export interface ResourceNameConflict {
  readonly envoyName: string;
  readonly kept: ResourceSpec;
  readonly dropped: ResourceSpec;
}

/**
 * Which of these documents would give a node the same Envoy name: a known node, or any node at all where one
 * selects everything that the other does. Filled by compile, used by api before it stores a document.
 */
export type FindNameConflicts = (
  specs: readonly ResourceSpec[],
  nodes: readonly NodeIdentity[],
  rootNamespace: string,
) => readonly ResourceNameConflict[];
