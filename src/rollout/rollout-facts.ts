import type { Assignment } from '../model/assignment.ts';
import type { Event } from '../model/event.ts';
import type { Freeze, Quarantine } from '../model/fleet-records.ts';
import type { NodeMetrics } from '../model/node-metrics.ts';
import type { PluginName, PluginSpec } from '../model/plugin-spec.ts';
import type { ModuleProgress, Revision } from '../model/revision.ts';
import type { Rollout, RolloutNodes } from '../model/rollout.ts';
import type { RolloutIntent } from '../model/rollout-intent.ts';
import type { FleetNode } from './fleet-node.ts';
import type { Suspect } from './judge-attribution.ts';
import type { RollCall } from './roll-call.ts';

/** All that a decision about one plugin rests on. Times in ms. */
export interface RolloutFacts {
  readonly plugin: PluginName;
  /** undefined: it was purged. */
  readonly spec: { readonly value: PluginSpec; readonly revision: number } | undefined;
  readonly progress: ModuleProgress | undefined;
  /** By number. */
  readonly revisions: ReadonlyMap<number, Revision>;
  readonly records: RolloutRecords;
  readonly intent: RolloutIntent | undefined;
  readonly freeze: Freeze | undefined;
  /** Every known node, by id. */
  readonly fleet: ReadonlyMap<string, FleetNode>;
  /** Ids of nodes with a verdict that tells of a refusal, of whatever content. */
  readonly refusing: ReadonlySet<string>;
  /** What was worked out of the fleet by the decisions before: it changes what a decision costs, not what it is. */
  readonly rollCall: RollCall;
  /** Ids of nodes that a person took out, known or not. */
  readonly excluded: ReadonlySet<string>;
  metrics(node: string): NodeMetrics | undefined;
  /** Rollouts of other plugins that may be at fault when a node fails, or that may have been. */
  suspects(): readonly MovingRollout[];
  /** The compiler's format number. */
  readonly format: number;
  readonly rootNamespace: string;
  readonly now: number;
  /** When this run of Attaché began: nothing is known of the time before. */
  readonly startedAt: number;
}

/** What this stage wrote of a plugin. */
export interface RolloutRecords {
  readonly assignment: Assignment | undefined;
  /** Oldest first; the last one is the only one that may be active. */
  readonly rollouts: readonly Rollout[];
  /** Of the last one. */
  readonly nodes: RolloutNodes | undefined;
  /** By content hash. */
  readonly quarantine: ReadonlyMap<string, Quarantine>;
}

/** A rollout of another plugin that has something on nodes, or that goes back or has gone back. */
export interface MovingRollout extends Suspect {
  /** By node id, ms. */
  readonly movedAt: ReadonlyMap<string, number>;
  /** When it was off all of its nodes; Infinity: it is on its way back; undefined: it does not go back. */
  readonly backAt?: number;
}

export type News = Pick<Event, 'type' | 'message'> & { readonly node?: string };

/** What is to be written about a plugin, and when to look again although nothing happened. */
export interface Decision {
  readonly records: RolloutRecords;
  /** In the order in which they happened. */
  readonly news: readonly News[];
  /** ms; null: nothing changes by itself. */
  readonly wakeAt: number | null;
}
