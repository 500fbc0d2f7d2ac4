import { toLimits } from '../model/gate-text.ts';
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
function toLimitText(report: GateReport): string | null {
  const limits = toLimits(report).map(limit => `at most ${limit}`);
  return limits.length === 0 ? null : limits.join(', ');
}
