import type { NodeMetrics } from '../model/node-metrics.ts';
import type { FailStrategy, PluginName } from '../model/plugin-spec.ts';
import type { GateReport, RequestCount, RolloutFailure, RolloutReason } from '../model/rollout.ts';
import type { Gate } from '../model/rollout-strategy.ts';

/** All that the gates of one rollout are judged by. Times in ms. */
export interface GateFacts {
  readonly plugin: PluginName;
  /** Of the strategy; leave the soft ones out where they are not to be asked (an undo at once). */
  readonly gates: readonly Gate[];
  /** What was reported last; empty at the start. */
  readonly reports: readonly GateReport[];
  /** Refusals of the new side by nodes of this rollout, oldest first. */
  readonly refusals: readonly GateRefusal[];
  /** Nodes that this rollout moved and that have taken the new side, connected ones only. */
  readonly moved: readonly MovedNode[];
  /** Connected targets that it did not move yet. */
  readonly others: readonly (NodeMetrics | undefined)[];
  /** The soak or bake that is under way; null: there is none, and soft gates are not sampled. */
  readonly watch: GateWatch | null;
  readonly now: number;
}

export interface GateRefusal {
  readonly node: string;
  /** Envoy's text. */
  readonly text: string;
  readonly at: number;
}

export interface MovedNode {
  readonly id: string;
  /** When it was moved. */
  readonly at: number;
  readonly before: RequestCount | undefined;
  readonly metrics: NodeMetrics | undefined;
  /** What its Envoy does when the plugin fails. */
  readonly policy: FailStrategy;
}

export interface GateWatch {
  /** When it began, by the clock on the wall: pauses in between count. */
  readonly since: number;
  readonly totalMs: number;
  /** Of the rollout's timer, at `now`. */
  readonly leftMs: number;
  readonly baking: boolean;
}

export interface Judgement {
  readonly reports: readonly GateReport[];
  /** Go back (or pause, by `onFailure`); before `pause` where there are both. */
  readonly fail?: GateFailure;
  readonly pause?: GatePause;
  /** When a soft gate is to be sampled next if time does not stand still; null: not before the stage changes. */
  readonly nextAt: number | null;
}

/** A RolloutFailure without what the stage knows: time and step. */
export type GateFailure = Pick<RolloutFailure, 'kind' | 'node' | 'nodes' | 'count' | 'text'> & {
  readonly gate: string;
  readonly reason: Extract<RolloutReason, 'Refused' | 'Crashed' | 'Broken' | 'Gate'>;
  /** All of them: whom to ask judge-attribution about (not for refusals and crashes, which name their plugin). */
  readonly failing: readonly string[];
  /** One sentence. */
  readonly why: string;
};

export interface GatePause {
  readonly gate: string;
  readonly reason: Extract<RolloutReason, 'Inconclusive' | 'MetricErrors'>;
  /** One sentence. */
  readonly why: string;
}

export function judgeGates(_facts: GateFacts): Judgement {
  throw new Error('not there yet');
}

/** What an Envoy does when the plugin fails. */
export function policyInForce(strategy: FailStrategy | undefined, failReload: boolean): FailStrategy {
  if (strategy === 'FAIL_RELOAD' || strategy === undefined) return failReload ? 'FAIL_RELOAD' : 'FAIL_CLOSE';
  return strategy;
}
