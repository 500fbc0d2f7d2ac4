import {
  growCounter,
  type RequestWindow,
  requestsIn,
  samplesOf,
  share5xx,
  windowSince,
} from './metric-window.ts';
import type { NodeMetrics } from './node-metrics.ts';
import type { PluginName } from './plugin-spec.ts';
import type { RequestCount } from './rollout.ts';

/** What tells whether a node broke when it was moved. */
export interface HealthFacts {
  /** Of the moved node. */
  readonly metrics: NodeMetrics | undefined;
  /** When it was moved, ms. */
  readonly movedAt: number;
  /** What it answered in the minute before. */
  readonly before: RequestCount | undefined;
  /** Of connected nodes that were not moved. */
  readonly others: readonly (NodeMetrics | undefined)[];
}

/** A node that answers mostly 5xx since it was moved, with both rates. */
export interface Breakage {
  readonly requests: number;
  readonly errors5xx: number;
  readonly overMs: number;
  /** What it is compared with; nodes 0: with itself before. */
  readonly control: RequestCount & { readonly nodes: number };
}

/** Envoys flush every 5 s unless told otherwise, not to the millisecond; of closer samples one in 4 s is kept. */
const WINDOW_MS = 5_000;
const NEARLY = 0.75;
const MIN_REQUESTS = 20;
const BROKEN_PERCENT = 50;
const FINE_PERCENT = 5;
/** A node takes new content while it serves the old: how long that may go on after the move. */
const TAKEOVER_MS = 5_000;
const FINE_OVER_MS = 30_000;

export function isBroken(facts: HealthFacts): boolean {
  return findBreakage(facts) !== undefined;
}

/**
 * Whether a node broke by being moved: in its two newest windows of 5 s (longer where the Envoy flushes less often) it
 * answered 20 requests or more, in each of them half or more with 5xx, while the nodes that were not moved stayed
 * under 5 %. Where those had no traffic, the same node before the move is what it is compared with. A node that
 * answered mostly 5xx before is not broken by the move.
 */
export function findBreakage({ metrics, movedAt, before, others }: HealthFacts): Breakage | undefined {
  const windows = findAilingWindows(metrics);
  if (windows === undefined) return undefined;
  const [newer, older] = windows;
  if (!isMostlyAfter(older, movedAt)) return undefined;
  const requests = newer.requests + older.requests;
  const own = before !== undefined && before.requests > 0 ? before : requestsIn(metrics, 0, movedAt);
  if ((share5xx(own) ?? 0) >= BROKEN_PERCENT) return undefined;
  const control = chooseControl(others, older.from, newer.to) ?? (own && { ...pick(own), nodes: 0 });
  const share = share5xx(control);
  if (control === undefined || share === null || share >= FINE_PERCENT) return undefined;
  return { requests, errors5xx: newer.errors5xx + older.errors5xx, overMs: newer.to - older.from, control };
}

/** Whether a node answers mostly 5xx, for whatever reason: no other one can be broken. */
export function isAiling(metrics: NodeMetrics | undefined): boolean {
  return findAilingWindows(metrics) !== undefined;
}

/** Whether what a node pushed of its stats may show that some plugin fails there: of most nodes it never does. */
export function mayFail(metrics: NodeMetrics | undefined): boolean {
  if (metrics === undefined) return false;
  return isAiling(metrics) || metrics.samples.some(({ reloads }) => hasAny(reloads));
}

function hasAny(counts: Readonly<Record<string, number>>): boolean {
  for (const name in counts) if ((counts[name] ?? 0) > 0) return true;
  return false;
}

/** The two newest windows, newest first, where the node had enough requests and answered mostly 5xx in both. */
function findAilingWindows(
  metrics: NodeMetrics | undefined,
): readonly [RequestWindow, RequestWindow] | undefined {
  const [newer, older] = newestWindows(metrics);
  if (newer === undefined || older === undefined) return undefined;
  if ([newer, older].some(window => (share5xx(window) ?? 0) < BROKEN_PERCENT)) return undefined;
  return newer.requests + older.requests < MIN_REQUESTS ? undefined : [newer, older];
}

/** The newest two windows, newest first; fewer where there are not enough samples. */
function newestWindows(metrics: NodeMetrics | undefined): readonly RequestWindow[] {
  const samples = metrics?.samples ?? [];
  const windows: RequestWindow[] = [];
  let to = samples.at(-1)?.at;
  while (to !== undefined && windows.length < 2) {
    const latest: number = to - WINDOW_MS * NEARLY;
    const from = samples.findLast(({ at }) => at <= latest)?.at;
    const window = from === undefined ? undefined : requestsIn(metrics, from, to);
    if (window !== undefined) windows.push(window);
    to = from;
  }
  return windows;
}

/** A window in which the move lies: half of it 5xx means the new side where half of it or more came after. */
function isMostlyAfter({ from, to }: RequestWindow, movedAt: number): boolean {
  return to - movedAt >= (to - from) / 2;
}

/** undefined: the others had too few requests at that time. */
function chooseControl(
  others: HealthFacts['others'],
  from: number,
  to: number,
): Breakage['control'] | undefined {
  const control = { requests: 0, errors5xx: 0, nodes: 0 };
  for (const other of others) {
    const window = requestsIn(other, from, to);
    if (window === undefined) continue;
    control.requests += window.requests;
    control.errors5xx += window.errors5xx;
    control.nodes += 1;
  }
  return control.requests < MIN_REQUESTS ? undefined : control;
}

function pick({ requests, errors5xx }: RequestCount): RequestCount {
  return { requests, errors5xx };
}

/** Whether a node that was moved at `since` shows that it can serve: 20 requests or more lately, under 5 % of them 5xx. */
export function isFine(metrics: NodeMetrics | undefined, since: number, now: number): boolean {
  const window = windowSince(metrics, since, now - FINE_OVER_MS, now);
  return window !== undefined && window.requests >= MIN_REQUESTS && (share5xx(window) ?? 0) < FINE_PERCENT;
}

/**
 * How often a plugin's VMs were reloaded (it crashed, under FAIL_RELOAD) since it was moved at `since`, ms. Where it
 * crashed before that as well, the old side may have done so once more while the new one was on its way: then
 * counting begins a moment later.
 */
export function reloadsSince(metrics: NodeMetrics | undefined, plugin: PluginName, since: number): number {
  const read = ({ reloads }: { readonly reloads: Readonly<Record<string, number>> }): number | undefined =>
    Object.hasOwn(reloads, plugin) ? reloads[plugin] : undefined;
  const crashedBefore = growCounter(samplesOf(metrics, 0, since), read) > 0;
  const samples = samplesOf(metrics, since, Number.POSITIVE_INFINITY);
  return growCounter(crashedBefore ? samples.filter(({ at }) => at >= since + TAKEOVER_MS) : samples, read);
}
