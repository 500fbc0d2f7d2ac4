import type { JsonObject } from './plugin-spec.ts';
import { BUILT_IN_5XX, HARD_GATES, PRESET_PLANS, PRESETS, WRITTEN_KINDS } from './rollout-presets.ts';
import type {
  Gate,
  GateKind,
  Pause,
  Preset,
  StepPlan,
  StepSize,
  Strategy,
  Wave,
  WaveSelector,
} from './rollout-strategy.ts';
import { parseDuration, parseLimit, parsePercent } from './rollout-units.ts';

const FEW_TARGETS = 10;

export interface StrategyOptions {
  /** `--preset`: instead of what the document says of steps and bake. A word that is no preset is no choice. */
  readonly preset?: string;
  /** Below ten, the default preset is `fast`. */
  readonly targets: number;
}

/** `spec.rollout` as rollout-document.ts lets it pass. */
interface RolloutDocument {
  readonly preset?: Preset;
  readonly waves?: readonly WaveDocument[];
  readonly steps?: readonly StepDocument[];
  readonly bake?: string;
  readonly ackTimeout?: string;
  readonly progressDeadline?: string;
  readonly maxDisconnected?: string;
  readonly gates?: readonly GateDocument[];
  readonly onFailure?: 'rollback' | 'freeze';
}

interface WaveDocument {
  readonly name?: string;
  readonly selector?: WaveSelector;
  readonly steps?: readonly StepDocument[];
  readonly pause?: string;
}

/** A size with what follows it, or a pause alone. */
interface StepDocument {
  readonly nodes?: number;
  readonly share?: string;
  readonly soak?: string;
  readonly pause?: string;
}

interface GateDocument {
  readonly name: string;
  readonly kind: GateKind;
  readonly max?: unknown;
  readonly maxIncrease?: unknown;
  readonly minRequests?: number;
  readonly every?: string;
  readonly failures?: number;
  readonly dryRun?: boolean;
  readonly metric?: string;
}

/**
 * What a rollout goes by: `spec.rollout` with its gaps filled by the preset that it names, or else by `fast` below
 * ten targets and `standard` from there. `--preset` replaces steps and bake; waves keep their order and pauses with
 * the preset's steps, but `all-at-once` means what it says.
 */
export function resolveStrategy(rollout: JsonObject | undefined, options: StrategyOptions): Strategy {
  const document = withoutNulls(rollout ?? {}) as RolloutDocument;
  const chosen = PRESETS.find(name => name === options.preset);
  const preset = chosen ?? document.preset ?? (options.targets < FEW_TARGETS ? 'fast' : 'standard');
  const plan = PRESET_PLANS[preset];
  const written = chosen === undefined ? document.steps : undefined;
  const steps = written === undefined ? plan.steps : toSteps(written);
  const waves = chosen === 'all-at-once' ? [] : (document.waves ?? []);
  return {
    preset: written === undefined ? preset : null,
    waves: toWaves(waves, steps, chosen === undefined),
    bakeMs: (chosen === undefined ? parseDuration(document.bake) : undefined) ?? plan.bakeMs,
    ackTimeoutMs: parseDuration(document.ackTimeout) ?? 60_000,
    progressDeadlineMs: parseDuration(document.progressDeadline) ?? 600_000,
    maxDisconnected: (parsePercent(document.maxDisconnected) ?? 20) / 100,
    gates: toGates(document.gates ?? []),
    onFailure: document.onFailure ?? 'rollback',
  };
}

/** A field that is null is one that is not there. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (value === null || typeof value !== 'object') return value;
  const there = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(there.map(([name, field]) => [name, withoutNulls(field)]));
}

/** Where the last written wave has a selector, the targets that none selects come in a wave of their own. */
function toWaves(
  waves: readonly WaveDocument[],
  steps: readonly StepPlan[],
  ownSteps: boolean,
): readonly Wave[] {
  const written = waves.map(
    (wave, index): Wave => ({
      name: wave.name ?? nameWave(wave.selector, index),
      selector: wave.selector ?? null,
      steps: ownSteps && wave.steps !== undefined ? toSteps(wave.steps) : steps,
      pause: toPause(wave.pause),
    }),
  );
  const rest: Wave = { name: null, selector: null, steps, pause: null };
  return written.at(-1)?.selector === null ? written : [...written, rest];
}

function nameWave(selector: WaveSelector | undefined, index: number): string {
  const labels = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => `${key}=${value}`);
  const zone = selector?.zone === undefined ? [] : [`zone ${selector.zone}`];
  return [...zone, ...labels].join(', ') || `wave ${index + 1}`;
}

/**
 * Steps as written, with a last 100 % step where they have none. It soaks as long as the step before it, which
 * matters only where another wave follows.
 */
function toSteps(written: readonly StepDocument[]): readonly StepPlan[] {
  const steps: StepPlan[] = [];
  let pause: Pause | null = null;
  for (const entry of written) {
    const size = toSize(entry);
    if (size !== undefined) {
      steps.push({ size, soakMs: parseDuration(entry.soak) ?? 0, pause });
      pause = null;
    }
    pause = longerPause(pause, toPause(entry.pause));
  }
  const last = steps.at(-1);
  return last !== undefined && isAll(last.size)
    ? steps
    : [...steps, { size: { percent: 100 }, soakMs: last?.soakMs ?? 0, pause }];
}

function toSize({ nodes, share }: StepDocument): StepSize | undefined {
  if (nodes !== undefined) return { nodes };
  const percent = parsePercent(share);
  return percent === undefined ? undefined : { percent };
}

function isAll(size: StepSize): boolean {
  return 'percent' in size && size.percent >= 100;
}

function toPause(written: string | undefined): Pause | null {
  return written === 'human' ? written : (parseDuration(written) ?? null);
}

/** Two pauses at one place are one: a person is waited for longer than any time. */
export function longerPause(a: Pause | null, b: Pause | null): Pause | null {
  if (a === 'human' || b === 'human') return 'human';
  return a === null || b === null ? (a ?? b) : Math.max(a, b);
}

/** A written 5xx gate stands for the built-in one. */
function toGates(documents: readonly GateDocument[]): readonly Gate[] {
  const written = documents.filter(({ kind }) => WRITTEN_KINDS.includes(kind)).map(toGate);
  const replaced = written.some(({ kind }) => kind === '5xx');
  return [...HARD_GATES, ...(replaced ? [] : [BUILT_IN_5XX]), ...written];
}

function toGate(document: GateDocument): Gate {
  const { name, kind, metric } = document;
  const max = parseLimit(kind, 'max', document.max);
  const maxIncrease = parseLimit(kind, 'maxIncrease', document.maxIncrease);
  const everyMs = parseDuration(document.every);
  return {
    name,
    kind,
    hard: false,
    written: true,
    dryRun: document.dryRun ?? false,
    minRequests: kind === 'memory' ? 0 : (document.minRequests ?? 100),
    failures: document.failures ?? 2,
    ...(max === undefined ? {} : { max }),
    ...(maxIncrease === undefined ? {} : { maxIncrease }),
    ...(everyMs === undefined ? {} : { everyMs }),
    ...(metric === undefined ? {} : { metric }),
  };
}
