import { toLimits, toValueText } from '../model/gate-text.ts';
import { toCountText, toNamesText, toNumberText } from '../model/quantity-text.ts';
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

/** `5 % or 2 points above the others` */
export function toLimitText(gate: Gate): string {
  return toLimits(gate).join(' or ');
}

/** `edge-1`, `edge-1, edge-2 and 3 more` */
export function toNodesText(nodes: readonly string[]): string {
  return toNamesText(nodes, 2);
}
