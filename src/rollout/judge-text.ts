import type { Breakage } from '../model/node-health.ts';
import { toCountText, toDurationText, toNamesText, toNumberText } from '../model/quantity-text.ts';
import type { GateSide } from '../model/rollout.ts';
import type { Gate, GateKind } from '../model/rollout-strategy.ts';
import type { Measure } from './judge-measure.ts';

/** What gates found, in words, with the numbers that decided. */

/** `canary 4.1 %, control 0.2 %, 412 requests` */
export function toMeasureText(kind: GateKind, { moved, others, versus }: Measure): string {
  const parts = [`canary ${toValueText(kind, moved.value)}`];
  if (others !== null) parts.push(`${versus} ${toValueText(kind, others.value)}`);
  if (kind !== 'memory') parts.push(toCountText(moved.requests, 'request'));
  return parts.join(', ');
}

/** `0 % of 3 requests: too few to judge, not held against it` */
export function toFewText({ kind, written, minRequests }: Gate, moved: GateSide, why: string | null): string {
  const after = written ? '' : ', not held against it';
  if (why !== null) return `${why}: too few to judge${after}`;
  const wanted = written ? `, ${toNumberText(minRequests)} wanted` : '';
  const of = kind === '5xx' || kind === 'metric' ? 'of ' : 'over ';
  const value = moved.value === null ? '' : `${toValueText(kind, moved.value)} ${of}`;
  return `${value}${toCountText(moved.requests, 'request')}: too few to judge${wanted}${after}`;
}

/** `2 points above the others`, `250 ms or 20 % above the others`. */
export function toLimitText({ kind, max, maxIncrease }: Gate): string {
  const absolute = max === undefined ? [] : [toValueText(kind, max)];
  const above = kind === '5xx' ? (maxIncrease === 1 ? 'point' : 'points') : '%';
  const relative =
    maxIncrease === undefined ? [] : [`${toNumberText(maxIncrease)} ${above} above the others`];
  return [...absolute, ...relative].join(' or ');
}

export function toValueText(kind: GateKind, value: number | null): string {
  if (value === null) return 'unknown';
  if (kind === 'latency-p99') return `${toNumberText(Math.round(value))} ms`;
  if (kind === 'memory') return `${toNumberText(Math.round((value / 1024 ** 2) * 10) / 10)} MiB`;
  return value > 0 && value < 0.05 ? '<0.1 %' : `${toNumberText(Math.round(value * 10) / 10)} %`;
}

/** `answered 5xx to 398 of 398 requests in 10 s; 299 others: 0.2 % of 121,940` */
export function toBreakageText({ requests, errors5xx, overMs, control }: Breakage): string {
  const whom = control.nodes === 0 ? 'before the move' : toCountText(control.nodes, 'other');
  const share = toValueText('5xx', (control.errors5xx / control.requests) * 100);
  return (
    `answered 5xx to ${toNumberText(errors5xx)} of ${toCountText(requests, 'request')} ` +
    `in ${toDurationText(overMs)}; ${whom}: ${share} of ${toNumberText(control.requests)}`
  );
}

/** `edge-1`, `edge-1, edge-2 and 3 more` */
export function toNodesText(nodes: readonly string[]): string {
  return toNamesText(nodes, 2);
}
