/** `spec.rollout` with everything filled in: what a rollout goes by from its start to its end. Durations in ms. */
export interface Strategy {
  /** The preset that filled the gaps; null: steps were written out. */
  readonly preset: Preset | null;
  /** Never empty; one after the other. A target that no wave selects is in the last one. */
  readonly waves: readonly Wave[];
  readonly bakeMs: number;
  /** A connected node that does not answer for this long is Stale. */
  readonly ackTimeoutMs: number;
  /** From the push to the last answer of a step; soaks and pauses do not count. Over: back. */
  readonly progressDeadlineMs: number;
  /** Share of a step's nodes, 0 to 1; more of them disconnected: Paused. */
  readonly maxDisconnected: number;
  /** Built-in ones first. */
  readonly gates: readonly Gate[];
  readonly onFailure: 'rollback' | 'freeze';
}

export type Preset = 'cautious' | 'standard' | 'fast' | 'all-at-once';

export interface Wave {
  /** null: the only wave, or the one for targets that no other selects. */
  readonly name: string | null;
  readonly selector: WaveSelector | null;
  /** The last one is 100 %. */
  readonly steps: readonly StepPlan[];
  /** Before the next wave. */
  readonly pause: Pause | null;
}

/** All that is given must hold. */
export interface WaveSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  /** `locality.zone`, or the label `zone` where a node has no locality. */
  readonly zone?: string;
}

export interface StepPlan {
  readonly size: StepSize;
  readonly soakMs: number;
  /** Before this step begins. */
  readonly pause: Pause | null;
}

/** A count of nodes, or a percentage (0 to 100) of the wave's targets. Cumulative within the wave. */
export type StepSize = { readonly nodes: number } | { readonly percent: number };

/** A duration in ms, or until a person promotes. */
export type Pause = number | 'human';

export type GateKind =
  | 'refusal'
  | 'reload'
  | 'broken'
  | '5xx'
  | 'latency-p99'
  | 'metric'
  | 'memory'
  | 'webhook'
  | 'prometheus';

export interface Gate {
  readonly name: string;
  readonly kind: GateKind;
  /** Zero tolerance, judged all the time; the others are sampled during soaks and the bake. */
  readonly hard: boolean;
  /** Written in `spec.rollout.gates`: without enough requests it pauses. */
  readonly written: boolean;
  /** Reports and decides nothing. */
  readonly dryRun: boolean;
  /** Absolute limit of the moved side: percent for 5xx, ms for latency, bytes for memory. */
  readonly max?: number;
  /** Limit of the moved side above the others: percentage points for 5xx, percent for the rest. */
  readonly maxIncrease?: number;
  /** Per window, on the moved side. */
  readonly minRequests: number;
  /** Between samples, ms; undefined: a third of the soak, at most 30 s. */
  readonly everyMs?: number;
  /** Failed samples that are allowed. */
  readonly failures: number;
  /** For metric: the plugin's metric as Envoy names it, without `wasmcustom.`. */
  readonly metric?: string;
  /** For webhook and prometheus. */
  readonly url?: string;
  readonly query?: string;
}
