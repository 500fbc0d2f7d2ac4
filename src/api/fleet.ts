import type { Assignment } from '../model/assignment.ts';
import type { NodePresence } from '../model/node.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';
import { type PluginName, type PluginSpec, toPluginName } from '../model/plugin-spec.ts';
import { derivePluginState, type NodePluginState } from '../model/plugin-state.ts';
import { derivePluginStatus, type PluginStatus } from '../model/plugin-status.ts';
import type { ModuleProgress } from '../model/revision.ts';
import type { Store, Stored } from '../store/store.ts';

/** Everything that states are derived from, read once for an answer. */
export interface Fleet {
  readonly specs: ReadonlyMap<PluginName, Stored<PluginSpec>>;
  readonly progress: ReadonlyMap<PluginName, ModuleProgress>;
  readonly assignments: ReadonlyMap<PluginName, Assignment>;
  /** By node.id, sorted. */
  readonly nodes: readonly NodePresence[];
  readonly verdicts: ReadonlyMap<string, readonly NodeVerdict[]>;
  readonly rootNamespace: string;
  readonly now: number;
}

/** Reads what the answers are made of. */
export async function readFleet(store: Store, rootNamespace: string, now: number): Promise<Fleet> {
  const [specs, progress, assignments, nodes, verdicts] = await Promise.all([
    store.list('PluginSpec'),
    store.list('ModuleProgress'),
    store.list('Assignment'),
    store.list('NodePresence'),
    store.list('NodeVerdict'),
  ]);
  return {
    specs: new Map(specs.records.map(record => [record.key, record])),
    progress: new Map(progress.records.map(record => [record.key, record.value])),
    assignments: new Map(assignments.records.map(record => [record.key, record.value])),
    nodes: nodes.records.map(record => record.value),
    verdicts: Map.groupBy(
      verdicts.records.map(record => record.value),
      verdict => verdict.node,
    ),
    rootNamespace,
    now,
  };
}

export function stateOnNode(fleet: Fleet, spec: PluginSpec, presence: NodePresence): NodePluginState {
  return derivePluginState({
    spec,
    presence,
    verdicts: fleet.verdicts.get(presence.node.id) ?? [],
    assignment: fleet.assignments.get(toPluginName(spec)),
    rootNamespace: fleet.rootNamespace,
    now: fleet.now,
  });
}

/** A plugin's state on every known node, in the order of `fleet.nodes`. */
export function statesOf(
  fleet: Fleet,
  spec: PluginSpec,
): readonly { readonly node: NodePresence; readonly state: NodePluginState }[] {
  return fleet.nodes.map(node => ({ node, state: stateOnNode(fleet, spec, node) }));
}

export function statusOf(
  fleet: Fleet,
  stored: Stored<PluginSpec>,
  states: readonly NodePluginState[],
): PluginStatus {
  return derivePluginStatus({
    specRevision: stored.revision,
    createdAt: stored.value.createdAt,
    progress: fleet.progress.get(stored.key),
    assignment: fleet.assignments.get(stored.key),
    states,
  });
}
