import { toNumberText } from '../model/quantity-text.ts';
import type { GateReport } from '../model/rollout.ts';
import { toTime } from './schema/metadata.ts';
import type { GateView } from './schema/rollout-view.ts';

export function toGateView(report: GateReport): GateView {
  const { name, kind, text, moved, others, failures, hard, dryRun, at } = report;
  return {
    name,
    kind,
    state: report.verdict,
    text,
    limit: hard ? null : toLimitText(report),
    moved,
    others,
    failures,
    hard,
    dryRun,
    sampledAt: at === null ? null : toTime(at),
  };
}

/** `at most 5 %, at most 2 points above the others` */
function toLimitText({ kind, max, maxIncrease }: GateReport): string | null {
  const limits = [
    ...(max === undefined ? [] : [`at most ${toAmountText(kind, max)}`]),
    ...(maxIncrease === undefined
      ? []
      : [`at most ${toNumberText(maxIncrease)} ${kind === '5xx' ? 'points' : '%'} above the others`]),
  ];
  return limits.length === 0 ? null : limits.join(', ');
}

function toAmountText(kind: GateReport['kind'], value: number): string {
  switch (kind) {
    case '5xx':
      return `${toNumberText(value)} %`;
    case 'latency-p99':
      return `${toNumberText(value)} ms`;
    case 'memory':
      return `${toNumberText(Math.round(value / (1024 * 1024)))} MiB`;
    default:
      return toNumberText(value);
  }
}
