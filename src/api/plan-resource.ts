import type { NodePresence } from '../model/node.ts';
import { toCountText } from '../model/quantity-text.ts';
import { type ResourceSpec, toEnvoyName } from '../model/resource.ts';
import { toResourceDocumentSpec } from '../model/resource-document.ts';
import type { FindReferences } from '../model/resource-facts.ts';
import { selects } from '../model/selector.ts';
import { toFreezeView } from './freeze.ts';
import { diffLeaves } from './plan-diff.ts';
import { planListeners } from './plan-listeners.ts';
import type { Planned } from './plan-plugin.ts';
import { NAMES_KEPT } from './plan-rollout.ts';
import type { PlanState } from './plan-state.ts';
import type { ResourcePlan } from './schema/plan-view.ts';

/** A document as it would be stored. */
export interface PlannedResource {
  readonly spec: ResourceSpec;
  /** Its resource as it is compared with the one before: where a secret is another one, that is said. */
  readonly compared: ResourceSpec['resource'];
}

/** What storing or deleting (`planned` undefined) a raw Envoy resource would do. Pure; it was checked before. */
export function planResource(
  state: PlanState,
  { type, namespace, name }: Pick<ResourceSpec, 'type' | 'namespace' | 'name'>,
  planned: PlannedResource | undefined,
  warnings: readonly string[],
  find: FindReferences,
): Planned<ResourcePlan> {
  const { fleet, resources } = state;
  const key = `${type}/${namespace}/${name}`;
  const before = resources.get(key);
  const after = planned?.spec;
  const changes =
    planned === undefined
      ? []
      : diffLeaves(
          before && toResourceDocumentSpec(before),
          toResourceDocumentSpec({ ...planned.spec, resource: planned.compared }),
          'spec',
        );
  const differs = after === undefined || changes.length > 0;
  const isFor = (spec: ResourceSpec | undefined, { node }: NodePresence): boolean =>
    spec !== undefined && selects(spec, node, fleet.rootNamespace);
  const reached = differs ? fleet.nodes.filter(node => isFor(before, node) || isFor(after, node)) : [];
  const connected = reached.filter(node => node.connected);
  const names = connected.map(({ node }) => node.id);
  const losing = connected.filter(node => !isFor(after, node)).length;
  const others = new Map([...resources].filter(([known]) => known !== key));
  const next = after === undefined ? others : new Map([...others, [key, after]]);
  const change = { before: [...resources.values()], after: [...next.values()], was: before, is: after };
  const result =
    after === undefined ? 'deleted' : before === undefined ? 'created' : differs ? 'configured' : 'unchanged';
  return {
    plan: {
      kind: 'ResourcePlan',
      type,
      namespace,
      name,
      envoyName: toEnvoyName((after ?? before)?.resource ?? {}) ?? '',
      result,
      differs,
      changes,
      count: names.length,
      nodes: names.slice(0, NAMES_KEPT),
      disconnected: reached.length - names.length,
      listeners: planListeners(fleet, connected, change, find),
      frozen: fleet.freeze === undefined ? null : toFreezeView(fleet.freeze),
      text: differs ? toText(names.length, losing) : 'no change',
      warnings: [...warnings],
    },
    after: { fleet, resources: next },
  };
}

/** `sent to 300 nodes at once`, `sent to 3 nodes, taken from 2 nodes, at once` */
function toText(reached: number, losing: number): string {
  if (reached === 0) return 'no connected node is one for it';
  const getting = reached - losing;
  const parts = [
    ...(getting > 0 ? [`sent to ${toCountText(getting, 'node')}`] : []),
    ...(losing > 0 ? [`taken from ${toCountText(losing, 'node')}`] : []),
  ];
  return parts.length === 1 ? `${parts[0]} at once` : `${parts.join(', ')}, at once`;
}
