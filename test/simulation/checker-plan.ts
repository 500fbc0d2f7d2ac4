import type { JsonObject } from '../../src/model/plugin-spec.ts';
import type { NodeFacts } from './envoy-bytes.ts';

/*
 * What `spec.rollout` asks for, said a second time: as the reference has it, not as src/model reads it. Times in ms.
 */

/** A step: how many of its wave's targets have been reached when it is done, and what must pass before the next. */
export interface PlannedStep {
  readonly wave: number;
  readonly reach: number;
  readonly soakMs: number;
  /** Before it begins. */
  readonly pauseMs: number | 'human';
}

export interface Plan {
  readonly steps: readonly PlannedStep[];
  readonly bakeMs: number;
  readonly progressDeadlineMs: number;
  readonly freezesOnFailure: boolean;
  waveOf(node: NodeFacts): number;
}

interface Size {
  readonly nodes?: number;
  readonly share?: number;
  readonly soakMs: number;
  readonly pauseMs: number | 'human';
}

const MINUTE = 60_000;

const PRESETS: Readonly<Record<string, { readonly sizes: readonly Size[]; readonly bakeMs: number }>> = {
  cautious: preset([1, 10, 25, 50], [10, 10, 10, 10], 30),
  standard: preset([1, 10, 50], [2, 5, 5], 10),
  fast: preset([0, 25, 50], [0, 0.5, 0.5], 1),
  'all-at-once': preset([0], [0], 10),
};

/** The first figure is a count of nodes, the rest are percents; 0: there is no such step. */
function preset(figures: readonly number[], soaks: readonly number[], bake: number) {
  const sizes = figures.map(
    (figure, i): Size => ({
      ...(i === 0 ? { nodes: figure } : { share: figure }),
      soakMs: (soaks[i] ?? 0) * MINUTE,
      pauseMs: 0,
    }),
  );
  const last = sizes.at(-1)?.soakMs ?? 0;
  const kept = sizes.filter(size => size.nodes !== 0);
  return { sizes: [...kept, { share: 100, soakMs: last, pauseMs: 0 }], bakeMs: bake * MINUTE };
}

/** `targets` are those that count, of each the place it is in. */
export function makePlan(
  document: JsonObject | undefined,
  chosen: string | undefined,
  targets: readonly NodeFacts[],
): Plan {
  const written = document ?? {};
  const name = chosen ?? text(written.preset) ?? (targets.length < 10 ? 'fast' : 'standard');
  const base = PRESETS[name] ?? PRESETS.standard!;
  const own = chosen === undefined ? list(written.steps) : [];
  const sizes = own.length > 0 ? toSizes(own) : base.sizes;
  const waves = chosen === 'all-at-once' ? [] : list(written.waves);
  const waveOf = (node: NodeFacts): number => {
    const found = waves.findIndex(wave => selects(wave.selector, node));
    return found === -1 ? waves.length : found;
  };
  const counts = [...waves, undefined].map((_, wave) => targets.filter(node => waveOf(node) === wave).length);
  const steps: PlannedStep[] = [];
  let pause: number | 'human' = 0;
  for (const [wave, count] of counts.entries()) {
    const waveSteps = chosen === undefined ? list(waves[wave]?.steps) : [];
    for (const size of waveSteps.length > 0 ? toSizes(waveSteps) : sizes) {
      const before = steps.findLast(step => step.wave === wave)?.reach ?? 0;
      const asked = size.nodes ?? Math.ceil(((size.share ?? 0) * count) / 100 - 1e-9);
      const reach = Math.min(asked, count);
      pause = longer(pause, size.pauseMs);
      if (reach <= before) continue;
      steps.push({ wave, reach, soakMs: size.soakMs, pauseMs: pause });
      pause = 0;
    }
    pause = longer(pause, toPause(waves[wave]?.pause));
  }
  return {
    steps,
    bakeMs: (chosen === undefined ? duration(written.bake) : undefined) ?? base.bakeMs,
    progressDeadlineMs: duration(written.progressDeadline) ?? 10 * MINUTE,
    freezesOnFailure: written.onFailure === 'freeze',
    waveOf,
  };
}

/** Everybody at once, nothing to wait for. */
export function planAtOnce(targets: readonly NodeFacts[]): Plan {
  return makePlan(undefined, 'all-at-once', targets);
}

/** With a last 100 % step where none is written; a pause alone is that of the size after it. */
function toSizes(entries: readonly JsonObject[]): readonly Size[] {
  const sizes: Size[] = [];
  let pauseMs: number | 'human' = 0;
  for (const entry of entries) {
    const share = percent(entry.share);
    if (typeof entry.nodes === 'number' || share !== undefined) {
      const size = share === undefined ? { nodes: Number(entry.nodes) } : { share };
      sizes.push({ ...size, soakMs: duration(entry.soak) ?? 0, pauseMs });
      pauseMs = 0;
    }
    pauseMs = longer(pauseMs, toPause(entry.pause));
  }
  const last = sizes.at(-1);
  return last?.share === 100 ? sizes : [...sizes, { share: 100, soakMs: last?.soakMs ?? 0, pauseMs }];
}

function selects(selector: unknown, node: NodeFacts): boolean {
  const zone = (selector as { zone?: string } | undefined)?.zone;
  return zone === undefined || zone === node.zone;
}

function toPause(value: unknown): number | 'human' {
  return value === 'human' ? 'human' : (duration(value) ?? 0);
}

function longer(a: number | 'human', b: number | 'human'): number | 'human' {
  return a === 'human' || b === 'human' ? 'human' : Math.max(a, b);
}

function list(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? (value as readonly JsonObject[]) : [];
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function percent(value: unknown): number | undefined {
  return typeof value === 'string' ? Number.parseFloat(value) : undefined;
}

/** The stories write seconds and minutes only. */
function duration(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  return Number.parseFloat(value) * (value.endsWith('m') ? MINUTE : 1000);
}
