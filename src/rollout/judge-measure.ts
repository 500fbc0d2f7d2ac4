import {
  growCounter,
  p99,
  samplesOf,
  share5xx,
  sumWindows,
  windowOf,
  windowSince,
} from '../model/metric-window.ts';
import type { MetricSample, MetricWindow, NodeMetrics } from '../model/node-metrics.ts';
import type { GateSide, RequestCount } from '../model/rollout.ts';
import type { Gate } from '../model/rollout-strategy.ts';
import type { GateFacts, MovedNode } from './judge-gates.ts';

/** What a soft gate saw of both sides. Values are in the unit of the gate's kind. */
export interface Measure {
  readonly moved: GateSide;
  /** What it is compared with; null: nothing that says enough. */
  readonly others: GateSide | null;
  /** control: nodes not moved yet, in the same window. before: the moved nodes before the move. */
  readonly versus: 'control' | 'before';
  /** Moved nodes that are over the limit by themselves, worst first. */
  readonly failing: readonly string[];
}

/** An answer, or why there is none: an error of the metrics, or too little of them (with what there is). */
export type Measured =
  | { readonly kind: 'measure'; readonly measure: Measure }
  | { readonly kind: 'few'; readonly moved: GateSide; readonly why: string | null }
  | { readonly kind: 'error'; readonly why: string };

/** What nodes answered in the minute before they were moved is kept; of the rest, what samples remain. */
const BEFORE_MS = 60_000;
/** Fewer requests of a single node say nothing of that node. */
const MIN_OF_NODE = 10;

/** Compares moved nodes with the others over the time since `from`. */
export function measureGate(facts: GateFacts, gate: Gate, from: number): Measured {
  if (gate.kind === 'memory') return measureMemory(facts, gate);
  if (facts.moved.every(({ metrics }) => (metrics?.samples.length ?? 0) === 0))
    return { kind: 'error', why: 'no metrics from the moved nodes' };
  if (gate.kind === 'metric' && !facts.moved.some(({ metrics }) => everSent(gate, metrics)))
    return { kind: 'error', why: `no moved node ever sent a metric ${gate.metric ?? ''}` };
  return compare(facts, gate, from);
}

function compare({ moved, others, now }: GateFacts, gate: Gate, from: number): Measured {
  const windows = moved.map(node => ({ node, window: windowSince(node.metrics, node.at, from, now) }));
  const sum = sumWindows(windows.map(({ window }) => window));
  if (sum === undefined) return { kind: 'few', moved: { value: null, requests: 0 }, why: null };
  const nodes = windows.map(({ node, window }) => sideOf(gate, [[node.metrics, window]]));
  const side = sideOf(
    gate,
    windows.map(({ node, window }) => [node.metrics, window]),
  );
  if (side.requests < gate.minRequests) return { kind: 'few', moved: side, why: null };
  const control = sideOf(
    gate,
    others.map(other => [other, windowOf(other, sum.from, sum.to)]),
  );
  const isControl = control.requests >= gate.minRequests;
  const before = isControl ? control : sideBefore(gate, moved);
  const compared = before.requests >= gate.minRequests ? before : null;
  if (compared === null && gate.max === undefined)
    return { kind: 'few', moved: side, why: 'nothing to compare with' };
  const failing = moved
    .map((node, index) => ({ id: node.id, side: nodes[index] ?? side }))
    .filter(({ side: own }) => own.requests >= MIN_OF_NODE && isOver(gate, own, compared))
    .sort((a, b) => (b.side.value ?? 0) - (a.side.value ?? 0))
    .map(({ id }) => id);
  const versus = isControl ? 'control' : 'before';
  return { kind: 'measure', measure: { moved: side, others: compared, versus, failing } };
}

/** Whether a side is over the limits of a gate; a limit above the others needs others. */
export function isOver(
  { kind, max, maxIncrease }: Gate,
  { value }: GateSide,
  others: GateSide | null,
): boolean {
  if (value === null) return false;
  if (max !== undefined && value > max) return true;
  if (maxIncrease === undefined || others === null || others.value === null) return false;
  const limit = kind === '5xx' ? others.value + maxIncrease : others.value * (1 + maxIncrease / 100);
  return value > limit;
}

type Observed = readonly [NodeMetrics | undefined, MetricWindow | undefined];

function sideOf(gate: Gate, observed: readonly Observed[]): GateSide {
  const sum = sumWindows(observed.map(([, window]) => window));
  if (sum === undefined) return { value: null, requests: 0 };
  const { requests } = sum;
  if (gate.kind === 'latency-p99') return { value: p99(sum.latency), requests };
  if (gate.kind === '5xx') return { value: share5xx(sum), requests };
  const grown = observed.reduce((total, [metrics, window]) => total + growthIn(gate, metrics, window), 0);
  return { value: requests === 0 ? null : (grown / requests) * 100, requests };
}

/** The moved nodes before they were moved. */
function sideBefore(gate: Gate, moved: readonly MovedNode[]): GateSide {
  if (gate.kind !== '5xx')
    return sideOf(
      gate,
      moved.map(({ metrics, at }) => [metrics, windowOf(metrics, at - BEFORE_MS, at)]),
    );
  const sum = moved.reduce<RequestCount>(
    ({ requests, errors5xx }, { before }) => ({
      requests: requests + (before?.requests ?? 0),
      errors5xx: errors5xx + (before?.errors5xx ?? 0),
    }),
    { requests: 0, errors5xx: 0 },
  );
  return { value: share5xx(sum), requests: sum.requests };
}

function growthIn(gate: Gate, metrics: NodeMetrics | undefined, window: MetricWindow | undefined): number {
  if (window === undefined) return 0;
  return growCounter(samplesOf(metrics, window.from, window.to), sample => readMetric(gate, sample));
}

function everSent(gate: Gate, metrics: NodeMetrics | undefined): boolean {
  return metrics?.samples.some(sample => readMetric(gate, sample) !== undefined) ?? false;
}

function readMetric({ metric = '' }: Gate, { custom }: MetricSample): number | undefined {
  return Object.hasOwn(custom, metric) ? custom[metric] : undefined;
}

/** Memory is judged node by node: each against itself before the move. */
function measureMemory({ moved, now }: GateFacts, gate: Gate): Measured {
  const nodes = moved
    .map(({ id, at, metrics }) => ({
      id,
      value: memoryAt(metrics, now, at),
      before: memoryAt(metrics, at, 0),
    }))
    .filter(({ value }) => value !== null)
    .map(({ id, value, before }) => ({
      id,
      side: toSide(value),
      before: before === null ? null : toSide(before),
    }))
    .sort((a, b) => (b.side.value ?? 0) - (a.side.value ?? 0));
  const [highest] = nodes;
  if (highest === undefined) return { kind: 'error', why: 'no moved node sent its memory' };
  if (gate.max === undefined && nodes.every(({ before }) => before === null))
    return { kind: 'few', moved: highest.side, why: 'nothing to compare with' };
  const over = nodes.filter(({ side, before }) => isOver(gate, side, before));
  const shown = over[0] ?? highest;
  const failing = over.map(({ id }) => id);
  return {
    kind: 'measure',
    measure: { moved: shown.side, others: shown.before, versus: 'before', failing },
  };
}

/** The newest value that was sent until a time, and not before `since`. */
function memoryAt(metrics: NodeMetrics | undefined, until: number, since: number): number | null {
  const sample = metrics?.samples.findLast(({ at, memoryBytes }) => at <= until && memoryBytes !== null);
  return sample === undefined || sample.at < since ? null : sample.memoryBytes;
}

function toSide(value: number | null): GateSide {
  return { value, requests: 0 };
}
