import { type Assignment, findSide, holds } from '../model/assignment.ts';
import type { Freeze, NodePolicy, Quarantine } from '../model/fleet-records.ts';
import type { NodeIdentity, NodePresence } from '../model/node.ts';
import type { NodeGroup } from '../model/node-group.ts';
import type { NodeMetrics } from '../model/node-metrics.ts';
import type { NodeVerdict } from '../model/node-verdict.ts';
import { type PluginName, type PluginSpec, toPluginName } from '../model/plugin-spec.ts';
import { derivePluginState, type NodePluginState } from '../model/plugin-state.ts';
import type { ModuleProgress, Revision, RevisionConfig } from '../model/revision.ts';
import { isActive, type Rollout, type RolloutNodes } from '../model/rollout.ts';
import { movedBy } from '../model/rollout-moves.ts';
import { FREEZE_KEY, revisionKey, rolloutKey } from '../store/record-kinds.ts';
import type { Store, Stored } from '../store/store.ts';
import { toDegradedText } from './degraded-text.ts';
import { memoOf } from './fleet-memo.ts';
import type { StateMemo } from './state-memo.ts';
import type { VerdictsByNode } from './verdicts-by-node.ts';

/** Everything that states are derived from, read once for an answer. */
export interface Fleet {
  /** Deleted ones as well, until their history is dropped: see `isGone`. */
  readonly specs: ReadonlyMap<PluginName, Stored<PluginSpec>>;
  readonly progress: ReadonlyMap<PluginName, ModuleProgress>;
  readonly assignments: ReadonlyMap<PluginName, Assignment>;
  /** By node.id, sorted; as what the server takes them for: `claims` has what others say of themselves than that. */
  readonly nodes: readonly NodePresence[];
  readonly claims: ReadonlyMap<string, NodeIdentity>;
  readonly verdicts: VerdictsByNode;
  readonly policies: ReadonlyMap<string, NodePolicy>;
  /** Newest first. */
  readonly rollouts: ReadonlyMap<PluginName, readonly Rollout[]>;
  /** Of active rollouts, by rollout id. They are long, and read when they are looked into. */
  readonly moves: ReadonlyMap<string, { readonly value: RolloutNodes }>;
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
  /** What was derived before. */
  readonly states: StateMemo;
}

export interface FleetSources {
  readonly store: Store;
  readonly rootNamespace: string;
  readonly now: number;
  readonly startedAt: number;
  metrics(node: string): NodeMetrics | undefined;
}

/** Reads what the answers are made of: what this server committed before is in it. */
export async function readFleet(sources: FleetSources): Promise<Fleet> {
  const { store, rootNamespace, now, startedAt } = sources;
  const memo = memoOf(store);
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
  const byPlugin = memo.of(rollouts.records, groupRollouts);
  const wanted = new Set([
    ...memo.of(assignments.records, toAssignedKeys),
    ...memo.of(progress.records, toProgressKeys),
  ]);
  const active = memo.of(rollouts.records, toActive);
  const [revisions, moves] = await Promise.all([
    Promise.all([...wanted].map(key => store.get('Revision', key))),
    Promise.all(active.map(({ plugin, number }) => store.get('RolloutNodes', rolloutKey(plugin, number)))),
  ]);
  const policyOf = memo.of(policies.records, toValues);
  const taken = memo.takeNodes(nodes.records, policyOf);
  memo.states.trim(taken.nodes.length);
  return {
    specs: memo.of(specs.records, toRecords),
    progress: memo.of(progress.records, toValues),
    assignments: memo.of(assignments.records, toValues),
    // A list of its own: what is counted of it (see census.ts) is of this answer.
    nodes: taken.nodes.slice(),
    claims: taken.claims,
    verdicts: memo.groupVerdicts(verdicts.records),
    policies: policyOf,
    rollouts: byPlugin,
    moves: new Map(
      active.flatMap(({ id }, i) => {
        const stored = moves[i];
        return stored === undefined ? [] : [[id, stored]];
      }),
    ),
    revisions: new Map(revisions.flatMap(one => (one === undefined ? [] : [[one.key, one.value]]))),
    quarantines: memo.of(quarantines.records, toValueList),
    groups: memo.of(groups.records, toValues),
    freeze: freeze?.value,
    rootNamespace,
    now,
    startedAt,
    metrics: sources.metrics,
    states: memo.states,
  };
}

type RecordList<V> = readonly Stored<V>[];

function toRecords<V>(records: RecordList<V>): ReadonlyMap<string, Stored<V>> {
  return new Map(records.map(record => [record.key, record]));
}

function toValues<V>(records: RecordList<V>): ReadonlyMap<string, V> {
  return new Map(records.map(record => [record.key, record.value]));
}

function toValueList<V>(records: RecordList<V>): readonly V[] {
  return records.map(record => record.value);
}

/** Newest first. */
function groupRollouts(records: RecordList<Rollout>): ReadonlyMap<PluginName, readonly Rollout[]> {
  return Map.groupBy(toValueList(records).toReversed(), rollout => rollout.plugin);
}

function toActive(records: RecordList<Rollout>): readonly Rollout[] {
  return toValueList(records).filter(isActive);
}

function toAssignedKeys(records: RecordList<Assignment>): readonly string[] {
  return records.flatMap(({ value }) => toRevisionKeys(value));
}

function toProgressKeys(records: RecordList<ModuleProgress>): readonly string[] {
  return records.flatMap(({ key, value: { revision } }) =>
    revision === undefined ? [] : [revisionKey(key, revision)],
  );
}

function toRevisionKeys({ plugin, base, moved }: Assignment): string[] {
  return [base, ...moved.map(entry => entry.side)].flatMap(({ revision }) =>
    revision === null ? [] : [revisionKey(plugin, revision)],
  );
}

type PluginOfState = Pick<PluginSpec, 'namespace' | 'name' | 'deleted'>;

export function stateOnNode(fleet: Fleet, spec: PluginOfState, presence: NodePresence): NodePluginState {
  return stateReader(fleet, spec)(presence);
}

/**
 * What is the same for all nodes is looked for once: that is most of what a state costs. `anyTime`: only lasting states
 * are of use, so that nobody has to find out when a node came to its side. Who has the verdicts of a node gives them.
 */
export function stateReader(
  fleet: Fleet,
  spec: PluginOfState,
  anyTime = false,
): (presence: NodePresence, verdicts?: readonly NodeVerdict[]) => NodePluginState {
  const plugin = toPluginName(spec);
  const assignment = fleet.assignments.get(plugin);
  const { rootNamespace, now } = fleet;
  const { staleAfterMs } = toStaleAfter(fleet, plugin);
  const configs = new Map<number, RevisionConfig | undefined>();
  const config = (revision: number): RevisionConfig | undefined => {
    if (!configs.has(revision))
      configs.set(revision, fleet.revisions.get(revisionKey(plugin, revision))?.config);
    return configs.get(revision);
  };
  return (presence, verdicts = fleet.verdicts.get(presence.node.id) ?? NO_VERDICTS) => {
    const { id } = presence.node;
    const input = {
      plugin: spec,
      presence,
      verdicts,
      side: assignment === undefined ? undefined : findSide(assignment, id),
      assignedAt: assignment === undefined || anyTime ? 0 : findAssignedAt(fleet, assignment, id),
      excluded: fleet.policies.get(id)?.excluded !== undefined,
      config,
      rootNamespace,
      now,
      ...(staleAfterMs === undefined ? {} : { staleAfterMs }),
    };
    const degraded = toDegradedText(fleet, plugin, presence);
    return degraded === null
      ? fleet.states.get(plugin, input, derivePluginState)
      : derivePluginState({ ...input, degraded });
  };
}

const NO_VERDICTS: readonly NodeVerdict[] = [];

/** When the node came to the side that it is on. */
function findAssignedAt(fleet: Fleet, assignment: Assignment, node: string): number {
  const entry = assignment.moved.findLast(moved => holds(moved, node));
  if (entry === undefined) return assignment.since;
  return movedBy(fleet.moves.get(entry.rollout)?.value).get(node)?.at ?? entry.since;
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
  const read = stateReader(fleet, spec);
  return fleet.nodes.map(node => ({ node, state: read(node) }));
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
  const read = stateReader(fleet, spec);
  return !fleet.nodes.some(node => node.connected && read(node).revision !== null);
}

/** A plugin that can be asked for: deleted ones only while they leave their nodes. */
export function findPlugin(fleet: Fleet, plugin: PluginName): Stored<PluginSpec> | undefined {
  const stored = fleet.specs.get(plugin);
  return stored === undefined || isGone(fleet, stored) ? undefined : stored;
}
