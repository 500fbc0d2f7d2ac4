import type { PluginSpec } from '../model/plugin-spec.ts';
import type { NodePluginState } from '../model/plugin-state.ts';
import { derivePluginStatus, type PluginStatus } from '../model/plugin-status.ts';
import { revisionKey } from '../store/record-kinds.ts';
import type { Stored } from '../store/store.ts';
import { type Fleet, statesOf } from './fleet.ts';

/** How a plugin stands. `states`: one a known node, where they were derived already. */
export function statusOf(
  fleet: Fleet,
  { key, value: spec, revision: specRevision }: Stored<PluginSpec>,
  states: readonly NodePluginState[] = statesOf(fleet, spec).map(({ state }) => state),
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
    states,
  });
}
