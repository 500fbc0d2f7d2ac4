import type { Breakage } from './node-health.ts';
import { toCountText, toDurationText, toNumberText } from './quantity-text.ts';
import type { Gate, GateKind } from './rollout-strategy.ts';

/** What gates measure and allow, in words. */

/** What was measured, rounded: `4.1 %`, `<0.1 %`, `31 ms`, `12.5 MiB`. */
export function toValueText(kind: GateKind, value: number | null): string {
  if (value === null) return 'unknown';
  if (kind === 'latency-p99') return `${toNumberText(Math.round(value))} ms`;
  if (kind === 'memory') return `${toNumberText(Math.round((value / 1024 ** 2) * 10) / 10)} MiB`;
  return value > 0 && value < 0.05 ? '<0.1 %' : `${toNumberText(Math.round(value * 10) / 10)} %`;
}

/** What a gate allows, each limit exactly as it was written: `5 %`, `2 points above the others`. */
export function toLimits({ kind, max, maxIncrease }: Pick<Gate, 'kind' | 'max' | 'maxIncrease'>): string[] {
  const absolute = max === undefined ? [] : [toAmountText(kind, max)];
  const above = kind === '5xx' ? (maxIncrease === 1 ? 'point' : 'points') : '%';
  const relative =
    maxIncrease === undefined ? [] : [`${toNumberText(maxIncrease)} ${above} above the others`];
  return [...absolute, ...relative];
}

function toAmountText(kind: GateKind, value: number): string {
  if (kind === 'latency-p99') return `${toNumberText(value)} ms`;
  if (kind === 'memory') return `${toNumberText(value / 1024 ** 2)} MiB`;
  return `${toNumberText(value)} %`;
}

/** `answered 5xx to 398 of 398 requests in 10 s; 299 others: 0.2 % of 121,940` */
export function toBreakageText({ requests, errors5xx, overMs, control }: Breakage): string {
  const whom = control.nodes === 0 ? 'before the move' : toCountText(control.nodes, 'other');
  const share = toValueText('5xx', (control.errors5xx / Math.max(1, control.requests)) * 100);
  return (
    `answered 5xx to ${toNumberText(errors5xx)} of ${toCountText(requests, 'request')} ` +
    `in ${toDurationText(overMs)}; ${whom}: ${share} of ${toNumberText(control.requests)}`
  );
}
