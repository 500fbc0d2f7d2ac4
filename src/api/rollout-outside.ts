import { classifyNode } from '../model/rollout-targets.ts';
import { revisionKey } from '../store/record-kinds.ts';
import { toOutsideText } from './outside-text.ts';
import type { RolloutFacts } from './rollout-facts.ts';
import type { RolloutView } from './schema/rollout-view.ts';

/** Nodes that are selected and take no part, each with its reason. Of a rollout that others came after: none. */
export function findOutside(facts: RolloutFacts): RolloutView['outside'] {
  const { fleet, rollout, latest } = facts;
  const { from, to } = rollout;
  const spec = fleet.specs.get(rollout.plugin)?.value;
  if (!latest || to === null || spec === undefined) return [];
  return fleet.nodes.flatMap(presence => {
    const { id } = presence.node;
    const policy = fleet.policies.get(id);
    const found = classifyNode({
      plugin: spec,
      from,
      to,
      presence,
      verdicts: fleet.verdicts.get(id) ?? [],
      excluded: policy?.excluded !== undefined,
      config: revision =>
        [facts.to, facts.from].find(known => known?.number === revision)?.config ??
        fleet.revisions.get(revisionKey(rollout.plugin, revision))?.config,
      rootNamespace: fleet.rootNamespace,
      now: fleet.now,
    });
    if (found.kind !== 'out' || found.reason === 'Selector') return [];
    return [{ node: id, reason: found.reason, text: toOutsideText(fleet, spec, presence, found.reason) }];
  });
}
