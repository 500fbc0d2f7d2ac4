import assert from 'node:assert/strict';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { resolveStrategy } from '../../src/model/resolve-strategy.ts';
import type { GateReport } from '../../src/model/rollout.ts';
import {
  type GateFacts,
  type GateWatch,
  type Judgement,
  judgeGates,
  type MovedNode,
} from '../../src/rollout/judge-gates.ts';
import { type Interval, makeMetrics, PLUGIN, repeat } from '../model/metric-records.ts';

/** The node was moved here, right after a flush; flushes go on every 5 s. */
export const MOVED_AT = 60_001;
export const FLUSH = 5_000;
export const CALM = repeat({ ok: 50, latency: [50] }, 60_000 / FLUSH);

export const GOOD: Interval = { ok: 100, latency: [100] };
export const POOR: Interval = { ok: 90, bad: 10, latency: [0, 0, 0, 0, 100] };
export const BAD: Interval = { bad: 100 };

export function node(id: string, after: readonly Interval[], over: Partial<MovedNode> = {}): MovedNode {
  return {
    id,
    at: MOVED_AT,
    before: { requests: 600, errors5xx: 0 },
    metrics: makeMetrics(0, FLUSH, [...CALM, ...after]),
    policy: 'FAIL_RELOAD',
    ...over,
  };
}

export const control = (interval: Interval = GOOD) => makeMetrics(0, FLUSH, repeat(interval, 200));

/** A soak that began when the node was moved, `elapsedMs` of it gone. */
export function soak(elapsedMs: number, totalMs = 90_000, baking = false): GateWatch {
  return { since: MOVED_AT, totalMs, leftMs: totalMs - elapsedMs, baking };
}

export function facts(over: Partial<GateFacts> = {}, rollout: JsonObject = {}): GateFacts {
  return {
    plugin: PLUGIN,
    gates: resolveStrategy(rollout, { targets: 3 }).gates,
    reports: [],
    refusals: [],
    moved: [node('edge-1', [])],
    others: [control()],
    watch: null,
    now: MOVED_AT,
    ...over,
  };
}

export const gate = (over: object): JsonObject => ({
  gates: [{ name: 'mine', kind: '5xx', maxIncrease: 2, ...over }],
});

export function reportOf(judgement: Judgement, name: string): GateReport {
  const report = judgement.reports.find(one => one.name === name);
  assert.ok(report !== undefined, `no report of ${name}`);
  return report;
}

/** Judges each time that a sample is due, as the stage does, until the soak is over or something happens. */
export function watchSoak(
  after: readonly Interval[],
  {
    totalMs = 90_000,
    rollout = {} as JsonObject,
    baking = false,
    ...over
  }: Partial<GateFacts> & {
    totalMs?: number;
    rollout?: JsonObject;
    baking?: boolean;
  } = {},
): { readonly at: number[]; readonly last: Judgement; readonly verdicts: string[] } {
  const at: number[] = [];
  const verdicts: string[] = [];
  let elapsed = 0;
  let reports: readonly GateReport[] = over.reports ?? [];
  for (;;) {
    const now = MOVED_AT + elapsed;
    const last = judgeGates(
      facts(
        { moved: [node('edge-1', after)], ...over, reports, now, watch: soak(elapsed, totalMs, baking) },
        rollout,
      ),
    );
    const sampled = last.reports.at(-1);
    if (sampled?.at === now) {
      at.push(elapsed);
      verdicts.push(sampled.verdict);
    }
    if (last.fail !== undefined || last.pause !== undefined || last.nextAt === null)
      return { at, last, verdicts };
    reports = last.reports;
    assert.ok(last.nextAt > now, 'time goes on');
    elapsed = last.nextAt - MOVED_AT;
  }
}
