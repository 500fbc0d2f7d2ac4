import type { PluginSpec } from '../model/plugin-spec.ts';
import { derivePluginStatus, type NodeCounts, type PluginStatus } from '../model/plugin-status.ts';
import { revisionKey } from '../store/record-kinds.ts';
import type { Stored } from '../store/store.ts';
import { countStates } from './count-states.ts';
import type { Fleet } from './fleet.ts';

/** How a plugin stands. `nodes`: NOT_COUNTED where nobody asks how far they are. */
export function statusOf(
  fleet: Fleet,
  { key, value: spec, revision: specRevision }: Stored<PluginSpec>,
  nodes: NodeCounts = countStates(fleet, spec),
): PluginStatus {
  const progress = fleet.progress.get(key);
  const revision =
    progress?.revision === undefined ? undefined : fleet.revisions.get(revisionKey(key, progress.revision));
  return derivePluginStatus({
    spec,
    specRevision,
    progress,
    assignment: fleet.assignments.get(key),
    rollout: fleet.rollouts.get(key)?.[0],
    quarantine: fleet.quarantines.find(
      one => one.plugin === key && one.contentHash === revision?.contentHash,
    ),
    nodes,
  });
}
