import type { Side } from './assignment.ts';
import type { PluginName } from './plugin-spec.ts';
import type { GateKind, Pause, StepSize, Strategy } from './rollout-strategy.ts';

/**
 * Moving a plugin's nodes from one side to another, in steps, behind gates. Written by the rollout stage only. One
 * is active per plugin at most; ended ones are the plugin's history.
 */
export interface Rollout {
  /** `namespace.plugin.number`. */
  readonly id: string;
  readonly plugin: PluginName;
  /** 1, 2, 3 … per plugin: a count of rollouts. */
  readonly number: number;
  readonly kind: RolloutKind;
  /** What was proven when it began, and where it goes back to. */
  readonly from: Side;
  /** null: not known, because there is no module yet (Validating), or never was (NotStarted). */
  readonly to: Side | null;
  /** Store revision of the PluginSpec that it follows. */
  readonly specRevision: number;
  readonly strategy: Strategy;
  readonly by: string;
  /** What the person wrote with `-m`. */
  readonly note?: string;

  readonly phase: RolloutPhase;
  /** One word beside the phase. */
  readonly reason?: RolloutReason;
  /** The reason as one sentence for a person. */
  readonly why?: string;
  /** Next step for the person, where there is one that is not a verb. */
  readonly hint?: string;
  /** Stable error code, for NotStarted and a Validating that retries. */
  readonly code?: string;
  /** When the phase began. */
  readonly since: number;
  readonly startedAt: number;
  readonly endedAt?: number;

  /** Targets at the start, all waves; excluded nodes and nodes without a place are not counted. */
  readonly targets: number;
  readonly steps: readonly RolloutStep[];
  /** Index of the step that is under way, or was last; -1: none yet. */
  readonly step: number;
  readonly stage: RolloutStage;
  /**
   * What is left of what `stage` waits for: the progress deadline, a timed pause, a soak, the bake, the time to go
   * back. It runs while nothing stands still; `at` is when `leftMs` was true. A stop of ours never counts.
   */
  readonly timer: { readonly leftMs: number; readonly at: number } | null;
  /** What Paused goes back to. */
  readonly pausedFrom?: 'Progressing' | 'Baking';
  readonly gates: readonly GateReport[];
  readonly failure?: RolloutFailure;
  readonly back?: WayBack;
  /** When a person last let it go on (resume, promote). */
  readonly lookedAt?: number;
  /** Number of the newest RolloutIntent that was taken in, and what became of it. */
  readonly intent?: { readonly id: number; readonly outcome: string };
}

/**
 * install, delete: from and to nowhere. placement: same revision, other nodes. undo: to an older one. format: the
 * same content, compiled by a newer Attaché.
 */
export type RolloutKind = 'install' | 'update' | 'placement' | 'delete' | 'undo' | 'format';

export const ROLLOUT_PHASES = [
  'Validating',
  'NotStarted',
  'Progressing',
  'Paused',
  'Baking',
  'RollingBack',
  'RollbackIncomplete',
  'RolledBack',
  'Aborted',
  'Superseded',
  'Succeeded',
  'Reverted',
] as const;
export type RolloutPhase = (typeof ROLLOUT_PHASES)[number];

/** Phases in which a rollout is still under way; RollbackIncomplete has ended, but is still watched. */
export const ACTIVE_PHASES: readonly RolloutPhase[] = [
  'Validating',
  'Progressing',
  'Paused',
  'Baking',
  'RollingBack',
];

export type RolloutReason =
  | 'ModuleUnavailable'
  | 'Human'
  | 'Person'
  | 'Frozen'
  | 'Inconclusive'
  | 'MetricErrors'
  | 'Disconnected'
  | 'Unattributed'
  | 'Failure'
  | 'NoNodes'
  | 'Refused'
  | 'Crashed'
  | 'Broken'
  | 'Gate'
  | 'Deadline'
  | 'Unreachable'
  | 'Undone';

/** Within Progressing: the pause before a step, its push, the watch after it. */
export type RolloutStage = 'Waiting' | 'Applying' | 'Soaking' | 'Baking' | 'Returning' | null;

export interface RolloutStep {
  /** null: the rollout has no named waves. */
  readonly wave: string | null;
  readonly asked: StepSize;
  /** Targets reached when this step is done, over all waves: cumulative. */
  readonly reaches: number;
  readonly soakMs: number;
  readonly pause: Pause | null;
  readonly state: 'waiting' | 'active' | 'passed' | 'failed' | 'skipped';
  readonly startedAt?: number;
  /** From the first push to the last answer. */
  readonly appliedMs?: number;
  readonly endedAt?: number;
}

/**
 * Which nodes a rollout moves and in what order; beside its Rollout, under the same key, because it is long and
 * changes once a step.
 */
export interface RolloutNodes {
  readonly rollout: string;
  /** Targets by wave, ranked: connected ones first, then by hash of node and rollout. Fixed at the start. */
  readonly order: readonly (readonly string[])[];
  /** What a moved node answered in the minute before it was moved. */
  readonly before: Readonly<Record<string, RequestCount>>;
  /** Read by `movedBy`. A node is in one of them. */
  readonly moves: readonly RolloutMove[];
}

/** Nodes that were moved together. A fleet that is moved at once is one of these, not a line for each node. */
export interface RolloutMove {
  readonly at: number;
  /** Index of the step; -1: a rollout before this one left it behind. */
  readonly step: number;
  /** `targets`: all of `order` that no move before this one names. */
  readonly nodes: readonly string[] | 'targets';
}

export interface RequestCount {
  readonly requests: number;
  readonly errors5xx: number;
}

export interface GateReport {
  readonly name: string;
  readonly kind: GateKind;
  /** waiting: not judged yet. few: too few to judge. inconclusive: the same, where it pauses. */
  readonly verdict: 'waiting' | 'pass' | 'few' | 'inconclusive' | 'error' | 'failing' | 'fail';
  /** With its numbers: `canary 4.1 %, control 0.2 %, 412 requests`. */
  readonly text: string;
  readonly moved: GateSide | null;
  readonly others: GateSide | null;
  readonly max?: number;
  readonly maxIncrease?: number;
  /** Failed samples so far, and errors in a row. */
  readonly failures: number;
  readonly errors: number;
  readonly hard: boolean;
  readonly dryRun: boolean;
  /** When it was sampled last. */
  readonly at: number | null;
}

export interface GateSide {
  /** Percent for 5xx, ms for latency, as the kind has it. */
  readonly value: number | null;
  readonly requests: number;
}

export interface RolloutFailure {
  readonly kind: 'refusal' | 'reload' | 'broken' | 'gate' | 'deadline' | 'unreachable' | 'abort';
  /** Name of the gate. */
  readonly gate?: string;
  /** The first node; absent where no single one is at fault. */
  readonly node?: string;
  /** Those known when it ended, the first 20; `count` is all of them. */
  readonly nodes: readonly string[];
  readonly count: number;
  /** Envoy's text for a refusal, the numbers for the others. */
  readonly text: string;
  readonly at: number;
  /** Index of the step in which it happened; baking: after the last one. */
  readonly step: number;
  readonly baking: boolean;
}

/** How far going back has come. */
export interface WayBack {
  /** Connected nodes that had been moved. */
  readonly touched: number;
  readonly confirmed: number;
  readonly startedAt: number;
  readonly tookMs?: number;
  /** Not confirmed: the first 20. */
  readonly missing: readonly string[];
}

export function toRolloutId(plugin: PluginName, number: number): string {
  return `${plugin.replace('/', '.')}.${number}`;
}

/** Namespaces hold no dot, numbers none either; undefined: it is no rollout id. */
export function parseRolloutId(
  id: string,
): { readonly plugin: PluginName; readonly number: number | 'latest' } | undefined {
  const match = /^([^./]+)\.([^/]+)\.(\d+|latest)$/.exec(id);
  if (match === null) return undefined;
  const [, namespace, name, number] = match;
  return { plugin: `${namespace}/${name}`, number: number === 'latest' ? number : Number(number) };
}

export function isActive({ phase }: Pick<Rollout, 'phase'>): boolean {
  return ACTIVE_PHASES.includes(phase);
}
