import type { Gate, GateKind, Preset, StepPlan, StepSize } from './rollout-strategy.ts';

export const PRESETS: readonly Preset[] = ['cautious', 'standard', 'fast', 'all-at-once'];

/** Kinds of gates that a document can ask for; `webhook` and `prometheus` do not exist yet. */
export const WRITTEN_KINDS: readonly GateKind[] = ['5xx', 'latency-p99', 'metric', 'memory'];

const MINUTE = 60_000;

/** A 100 % step soaks only where another wave follows it; at the end the bake does. */
export const PRESET_PLANS: Readonly<
  Record<Preset, { readonly steps: readonly StepPlan[]; readonly bakeMs: number }>
> = {
  cautious: {
    steps: [
      step({ nodes: 1 }, 10 * MINUTE),
      step({ percent: 10 }, 10 * MINUTE),
      step({ percent: 25 }, 10 * MINUTE),
      step({ percent: 50 }, 10 * MINUTE),
      step({ percent: 100 }, 10 * MINUTE),
    ],
    bakeMs: 30 * MINUTE,
  },
  standard: {
    steps: [
      step({ nodes: 1 }, 2 * MINUTE),
      step({ percent: 10 }, 5 * MINUTE),
      step({ percent: 50 }, 5 * MINUTE),
      step({ percent: 100 }, 5 * MINUTE),
    ],
    bakeMs: 10 * MINUTE,
  },
  fast: {
    steps: [step({ percent: 25 }, 30_000), step({ percent: 50 }, 30_000), step({ percent: 100 }, 30_000)],
    bakeMs: MINUTE,
  },
  'all-at-once': { steps: [step({ percent: 100 }, 0)], bakeMs: 10 * MINUTE },
};

/** Zero tolerance, in every rollout. Named so that a line of them reads `refusals 0   crashes 0   broken 0`. */
export const HARD_GATES: readonly Gate[] = [
  hardGate('refusals', 'refusal', 1),
  hardGate('crashes', 'reload', 1),
  hardGate('broken', 'broken', 20),
];

/** Soft: without enough requests to judge, it holds nothing up. */
export const BUILT_IN_5XX: Gate = {
  name: '5xx',
  kind: '5xx',
  hard: false,
  written: false,
  dryRun: false,
  maxIncrease: 2,
  minRequests: 100,
  failures: 2,
};

function hardGate(name: string, kind: GateKind, minRequests: number): Gate {
  return { name, kind, hard: true, written: false, dryRun: false, minRequests, failures: 0 };
}

function step(size: StepSize, soakMs: number): StepPlan {
  return { size, soakMs, pause: null };
}
