import type { NodeMetrics } from '../model/node-metrics.ts';
import type { FailStrategy, PluginName } from '../model/plugin-spec.ts';
import type { GateReport, RequestCount, RolloutFailure, RolloutReason } from '../model/rollout.ts';
import type { Gate } from '../model/rollout-strategy.ts';
import { isSameList } from '../model/same-list.ts';
import { judgeHardGate } from './judge-hard.ts';
import { judgeSoftGate } from './judge-soft.ts';

/** All that the gates of one rollout are judged by. Times in ms. */
export interface GateFacts {
  readonly plugin: PluginName;
  /** What the rollout leads to, in words: `revision 8`. */
  readonly aim?: string;
  /** Of the strategy; leave the soft ones out where they are not to be asked (an undo at once). */
  readonly gates: readonly Gate[];
  /** What was reported last; empty at the start. */
  readonly reports: readonly GateReport[];
  /** Refusals of the new side by nodes of this rollout, oldest first. */
  readonly refusals: readonly GateRefusal[];
  /** Nodes that this rollout moved and that have taken the new side, connected ones only. */
  readonly moved: readonly MovedNode[];
  /** Of `moved`, all whose metrics may show a crash or errors; absent: any may. */
  readonly ailing?: readonly MovedNode[];
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
  /** What it shows from before may be another rollout's doing; absent: it is this one's from the move on. */
  readonly tellsSince?: number;
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
  /** One per gate, in order; the very same array where nothing changed. */
  readonly reports: readonly GateReport[];
  /** Go back (or pause, by `onFailure`); it counts more than `pause`. Said once, when it is found. */
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
  /** One sentence, with the first node; `text` leaves it out. */
  readonly why: string;
  /** When it happened, where that is known: Envoy's own answer. */
  readonly at?: number;
};

export interface GatePause {
  readonly gate: string;
  readonly reason: Extract<RolloutReason, 'Inconclusive' | 'MetricErrors'>;
  /** One sentence. */
  readonly why: string;
}

/** What became of one gate. */
export interface GateOutcome {
  readonly report: GateReport;
  readonly fail?: GateFailure;
  readonly pause?: GatePause;
  readonly nextAt?: number;
}

/**
 * Judges every gate of a rollout. Pure, and settles: asked again at the same time about its own reports, it changes
 * nothing.
 *
 * - Hard gates (refusals, crashes, broken) are judged at every call; one node is enough.
 * - Soft gates are sampled every third of a soak, at most 30 s apart (or `every`), and at its end. A soak begins with
 *   no failures; one more than `failures` allows is a Fail.
 */
export function judgeGates(facts: GateFacts): Judgement {
  const outcomes = facts.gates.map(gate => {
    const report = facts.reports.find(({ name }) => name === gate.name) ?? toFirstReport(gate);
    return gate.hard ? judgeHardGate(facts, gate, report) : judgeSoftGate(facts, gate, report);
  });
  const reports = outcomes.map(({ report }) => report);
  const isSame = isSameList(reports, facts.reports);
  const fail = outcomes.find(outcome => outcome.fail !== undefined)?.fail;
  const pause = outcomes.find(outcome => outcome.pause !== undefined)?.pause;
  const times = outcomes.flatMap(({ nextAt }) => (nextAt === undefined ? [] : [nextAt]));
  return {
    reports: isSame ? facts.reports : reports,
    ...(fail === undefined ? {} : { fail }),
    ...(pause === undefined ? {} : { pause }),
    nextAt: times.length === 0 ? null : Math.min(...times),
  };
}

function toFirstReport(gate: Gate): GateReport {
  const { name, kind, hard, dryRun, max, maxIncrease } = gate;
  return {
    name,
    kind,
    verdict: 'waiting',
    text: hard ? '0' : kind === 'memory' ? 'judged in the bake' : 'not sampled yet',
    moved: null,
    others: null,
    ...(max === undefined ? {} : { max }),
    ...(maxIncrease === undefined ? {} : { maxIncrease }),
    failures: 0,
    errors: 0,
    hard,
    dryRun,
    at: null,
  };
}

/** What an Envoy does when the plugin fails. */
export function policyInForce(strategy: FailStrategy | undefined, failReload: boolean): FailStrategy {
  if (strategy === 'FAIL_RELOAD' || strategy === undefined) return failReload ? 'FAIL_RELOAD' : 'FAIL_CLOSE';
  return strategy;
}
