import { LATENCY_BOUNDS_MS, type MetricSample, type NodeMetrics } from '../../src/model/node-metrics.ts';
import type { Part } from '../xds/model/content.ts';
import { type Contents, isThere } from './contents.ts';
import type { Plant } from './plant.ts';
import type { SimClock } from './sim-clock.ts';
import type { SimEnvoy } from './sim-envoy.ts';
import type { Wire } from './wire.ts';

export const STATS_EVERY_MS = 5_000;
const KEPT = 36;
const REQUESTS = 150;

/** Load on every Envoy, and the stats that it pushes of it: in place of the metrics stream. */
export class Traffic {
  readonly #clock: SimClock;
  readonly #wire: Wire;
  readonly #contents: Contents;
  readonly #counts = new Map<string, { ok: number; errors: number; reloads: Map<string, number> }>();

  constructor(of: { clock: SimClock; wire: Wire; contents: Contents }) {
    this.#clock = of.clock;
    this.#wire = of.wire;
    this.#contents = of.contents;
  }

  /** What happened on this Envoy since the last time; `plant` gets its stats. */
  tick(envoy: SimEnvoy, plant: Plant | undefined): void {
    const counts = this.#counts.get(envoy.id) ?? { ok: 0, errors: 0, reloads: new Map() };
    this.#counts.set(envoy.id, counts);
    const errors = this.#errorsOf(envoy.id, envoy.running(), counts.reloads);
    counts.ok += REQUESTS - errors;
    counts.errors += errors;
    if (plant === undefined || !envoy.isConnected || envoy.isSilent) return;
    if (errors > 0 || counts.reloads.size > 0)
      this.#wire.see({
        type: 'stats',
        node: envoy.id,
        requests: REQUESTS,
        errors5xx: errors,
        reloads: Object.fromEntries(counts.reloads),
      });
    const samples = plant.metrics.get(envoy.id)?.samples ?? [];
    const next: NodeMetrics = {
      node: envoy.id,
      process: null,
      samples: [...samples.slice(1 - KEPT), this.#toSample(counts)],
    };
    plant.metrics.set(envoy.id, next);
  }

  /** A new process counts from zero. */
  forget(node: string): void {
    this.#counts.delete(node);
  }

  #errorsOf(node: string, parts: readonly Part[], reloads: Map<string, number>): number {
    let share = 0;
    for (const { plugin, revision } of parts) {
      const fault = this.#contents.faultOf(plugin, revision);
      if (fault.kind === 'errors' && isThere(fault.where, node)) share = Math.max(share, fault.share);
      if (fault.kind === 'crashes' && isThere(fault.where, node))
        reloads.set(plugin, (reloads.get(plugin) ?? 0) + 1);
    }
    return Math.round(REQUESTS * share);
  }

  #toSample(counts: { ok: number; errors: number; reloads: ReadonlyMap<string, number> }): MetricSample {
    const all = counts.ok + counts.errors;
    return {
      at: this.#clock.now(),
      byClass: [0, counts.ok, 0, 0, counts.errors],
      latency: LATENCY_BOUNDS_MS.map((_, i) => (i === 2 ? all : 0)),
      vmCreated: null,
      vmActive: null,
      workers: null,
      reloads: Object.fromEntries(counts.reloads),
      ecds: {},
      custom: {},
      listeners: {},
      memoryBytes: null,
    };
  }
}
