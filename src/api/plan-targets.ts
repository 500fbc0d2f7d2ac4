import { type Assignment, findSide, type Side } from '../model/assignment.ts';
import type { NodePresence } from '../model/node.ts';
import type { PluginSpec } from '../model/plugin-spec.ts';
import { classifyNode } from '../model/rollout-targets.ts';
import { revisionKey } from '../store/record-kinds.ts';
import type { Fleet } from './fleet.ts';
import { toOutsideText } from './outside-text.ts';
import type { PluginPlan } from './schema/plan-view.ts';

/** Who a rollout would move, and who is selected and would be left out. */
export interface PlanTargets {
  /** By name. */
  readonly targets: readonly NodePresence[];
  readonly outside: PluginPlan['outside'];
}

/** What moving to a side means for every known node. `fleet` knows the document and the revision already. */
export function findPlanTargets(
  fleet: Fleet,
  spec: PluginSpec,
  assignment: Assignment,
  to: Side,
): PlanTargets {
  const targets: NodePresence[] = [];
  const outside: PluginPlan['outside'] = [];
  for (const presence of fleet.nodes) {
    const { id } = presence.node;
    const found = classifyNode({
      plugin: spec,
      from: findSide(assignment, id),
      to,
      presence,
      verdicts: fleet.verdicts.get(id) ?? [],
      excluded: fleet.policies.get(id)?.excluded !== undefined,
      config: revision => fleet.revisions.get(revisionKey(assignment.plugin, revision))?.config,
      rootNamespace: fleet.rootNamespace,
      now: fleet.now,
    });
    if (found.kind === 'target') targets.push(presence);
    if (found.kind === 'out' && found.reason !== 'Selector')
      outside.push({
        node: id,
        reason: found.reason,
        text: toOutsideText(fleet, spec, presence, found.reason),
      });
  }
  return { targets, outside };
}
