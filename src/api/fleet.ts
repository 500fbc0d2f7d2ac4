import { type Assignment, findSide, holds } from '../model/assignment.ts';
import { toEffectivePresence } from '../model/effective-node.ts';
import type { Freeze, NodePolicy, Quarantine } from '../model/fleet-records.ts';
import type { NodeIdentity, NodePresence } from '../model/node.ts';
import type { NodeGroup } from '../model/node-group.ts';
import type { NodeMetrics } from '../model/node-metrics.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';
import { type PluginName, type PluginSpec, toPluginName } from '../model/plugin-spec.ts';
import { derivePluginState, type NodePluginState } from '../model/plugin-state.ts';
import type { ModuleProgress, Revision } from '../model/revision.ts';
import { isActive, type Rollout, type RolloutNodes } from '../model/rollout.ts';
import { FREEZE_KEY, revisionKey, rolloutKey } from '../store/record-kinds.ts';
import type { Store, Stored } from '../store/store.ts';
import { toDegradedText } from './degraded-text.ts';

/** Everything that states are derived from, read once for an answer. */
export interface Fleet {
  /** Deleted ones as well, until their history is dropped: see `isGone`. */
  readonly specs: ReadonlyMap<PluginName, Stored<PluginSpec>>;
  readonly progress: ReadonlyMap<PluginName, ModuleProgress>;
  readonly assignments: ReadonlyMap<PluginName, Assignment>;
  /** By node.id, sorted; as what the server takes them for: `claims` has what they say of themselves. */
  readonly nodes: readonly NodePresence[];
  readonly claims: ReadonlyMap<string, NodeIdentity>;
  readonly verdicts: ReadonlyMap<string, readonly NodeVerdict[]>;
  readonly policies: ReadonlyMap<string, NodePolicy>;
  /** Newest first. */
  readonly rollouts: ReadonlyMap<PluginName, readonly Rollout[]>;
  /** Of active rollouts, by rollout id. */
  readonly moves: ReadonlyMap<string, RolloutNodes>;
  /** By store key: those that nodes are to run, and those that documents ask for. */
  readonly revisions: ReadonlyMap<string, Revision>;
  readonly quarantines: readonly Quarantine[];
  /** By store key. */
  readonly groups: ReadonlyMap<string, NodeGroup>;
  readonly freeze: Freeze | undefined;
  readonly rootNamespace: string;
  readonly now: number;
  /** When this server started. */
  readonly startedAt: number;
  metrics(node: string): NodeMetrics | undefined;
}

export interface FleetSources {
  readonly store: Store;
  readonly rootNamespace: string;
  readonly now: number;
  readonly startedAt: number;
  metrics(node: string): NodeMetrics | undefined;
}

/** Reads what the answers are made of. */
export async function readFleet(sources: FleetSources): Promise<Fleet> {
  const { store, rootNamespace, now, startedAt } = sources;
  const [specs, progress, assignments, nodes, verdicts, policies, rollouts, quarantines, groups, freeze] =
    await Promise.all([
      store.list('PluginSpec'),
      store.list('ModuleProgress'),
      store.list('Assignment'),
      store.list('NodePresence'),
      store.list('NodeVerdict'),
      store.list('NodePolicy'),
      store.list('Rollout'),
      store.list('Quarantine'),
      store.list('NodeGroup'),
      store.get('Freeze', FREEZE_KEY),
    ]);
  const all = rollouts.records.map(record => record.value).toReversed();
  const sides = new Set([
    ...assignments.records.flatMap(({ value }) => toRevisionKeys(value)),
    ...progress.records.flatMap(({ key, value: { revision } }) =>
      revision === undefined ? [] : [revisionKey(key, revision)],
    ),
  ]);
  const [revisions, moves] = await Promise.all([
    Promise.all([...sides].map(key => store.get('Revision', key))),
    Promise.all(
      all.filter(isActive).map(({ plugin, number }) => store.get('RolloutNodes', rolloutKey(plugin, number))),
    ),
  ]);
  const policyOf = new Map(policies.records.map(record => [record.key, record.value]));
  return {
    specs: new Map(specs.records.map(record => [record.key, record])),
    progress: new Map(progress.records.map(record => [record.key, record.value])),
    assignments: new Map(assignments.records.map(record => [record.key, record.value])),
    nodes: nodes.records.map(({ key, value }) => toEffectivePresence(value, policyOf.get(key))),
    claims: new Map(nodes.records.map(({ key, value }) => [key, value.node])),
    verdicts: Map.groupBy(
      verdicts.records.map(record => record.value),
      verdict => verdict.node,
    ),
    policies: policyOf,
    rollouts: Map.groupBy(all, rollout => rollout.plugin),
    moves: new Map(moves.flatMap(move => (move === undefined ? [] : [[move.value.rollout, move.value]]))),
    revisions: new Map(revisions.flatMap(one => (one === undefined ? [] : [[one.key, one.value]]))),
    quarantines: quarantines.records.map(record => record.value),
    groups: new Map(groups.records.map(record => [record.key, record.value])),
    freeze: freeze?.value,
    rootNamespace,
    now,
    startedAt,
    metrics: sources.metrics,
  };
}

function toRevisionKeys({ plugin, base, moved }: Assignment): string[] {
  return [base, ...moved.map(entry => entry.side)].flatMap(({ revision }) =>
    revision === null ? [] : [revisionKey(plugin, revision)],
  );
}

export function stateOnNode(
  fleet: Fleet,
  spec: Pick<PluginSpec, 'namespace' | 'name' | 'deleted'>,
  presence: NodePresence,
): NodePluginState {
  const plugin = toPluginName(spec);
  const assignment = fleet.assignments.get(plugin);
  const { id } = presence.node;
  return derivePluginState({
    plugin: spec,
    presence,
    verdicts: fleet.verdicts.get(id) ?? [],
    side: assignment === undefined ? undefined : findSide(assignment, id),
    assignedAt: assignment === undefined ? 0 : findAssignedAt(fleet, assignment, id),
    excluded: fleet.policies.get(id)?.excluded !== undefined,
    degraded: toDegradedText(fleet, plugin, presence),
    config: revision => fleet.revisions.get(revisionKey(plugin, revision))?.config,
    rootNamespace: fleet.rootNamespace,
    now: fleet.now,
    ...toStaleAfter(fleet, plugin),
  });
}

/** When the node came to the side that it is on. */
function findAssignedAt(fleet: Fleet, assignment: Assignment, node: string): number {
  const entry = assignment.moved.findLast(moved => holds(moved, node));
  if (entry === undefined) return assignment.since;
  return fleet.moves.get(entry.rollout)?.movedAt[node]?.at ?? entry.since;
}

function toStaleAfter(fleet: Fleet, plugin: PluginName): { readonly staleAfterMs?: number } {
  const latest = fleet.rollouts.get(plugin)?.[0];
  return latest === undefined ? {} : { staleAfterMs: latest.strategy.ackTimeoutMs };
}

export interface StateOnNode {
  readonly node: NodePresence;
  readonly state: NodePluginState;
}

/** A plugin's state on every known node, in the order of `fleet.nodes`. */
export function statesOf(fleet: Fleet, spec: PluginSpec): readonly StateOnNode[] {
  return fleet.nodes.map(node => ({ node, state: stateOnNode(fleet, spec, node) }));
}

/**
 * Whether a deleted plugin is out of everybody's way: no connected node has it, and nothing is under way. What stays
 * is its history.
 */
export function isGone(fleet: Fleet, { key, value: spec }: Stored<PluginSpec>): boolean {
  if (spec.deleted === undefined) return false;
  const assignment = fleet.assignments.get(key);
  if (assignment !== undefined && (assignment.base.revision !== null || assignment.moved.length > 0))
    return false;
  if (fleet.rollouts.get(key)?.some(isActive) === true) return false;
  return !fleet.nodes.some(node => node.connected && stateOnNode(fleet, spec, node).revision !== null);
}

/** A plugin that can be asked for: deleted ones only while they leave their nodes. */
export function findPlugin(fleet: Fleet, plugin: PluginName): Stored<PluginSpec> | undefined {
  const stored = fleet.specs.get(plugin);
  return stored === undefined || isGone(fleet, stored) ? undefined : stored;
}
