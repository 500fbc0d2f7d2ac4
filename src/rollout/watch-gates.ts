import type { Moved } from '../model/assignment.ts';
import { toNamesText } from '../model/quantity-text.ts';
import type { Rollout } from '../model/rollout.ts';
import { blame, judgeUnnamed, seemsFine } from './blame-rollout.ts';
import { toGateFacts } from './gate-facts.ts';
import { type Failing, fail } from './go-back.ts';
import { type GateFailure, judgeGates } from './judge-gates.ts';
import { lookedAt, pause } from './pause-rollout.ts';
import { findRefusals } from './refusals.ts';
import type { RolloutRecords } from './rollout-facts.ts';
import { nameOf } from './rollout-text.ts';
import { latestOf, type Rule, type Turn, withRollout } from './rollout-turn.ts';

const NEWS_VERDICTS: readonly string[] = ['failing', 'fail', 'inconclusive', 'error'];

/** Judges what moved nodes say and show: what fails goes back (or pauses), what cannot be told pauses. */
export const watchGates: Rule = (turn, records) => {
  const rollout = latestOf(records);
  const entry = records.assignment?.moved.find(({ rollout: id }) => id === rollout?.id);
  if (rollout === undefined || entry === undefined || !isWatched(rollout)) return records;
  const unnamed = judgeUnnamed(turn, records, rollout, entry);
  if (unnamed !== records) return unnamed;
  const refusals = findRefusals(turn.facts, entry, evidenceSince(rollout, entry));
  const judgement = judgeGates(toGateFacts(turn, records, rollout, refusals));
  if (judgement.nextAt !== null) turn.wake(judgement.nextAt);
  const isNews = JSON.stringify(judgement.reports) !== JSON.stringify(rollout.gates);
  const judged = isNews ? { ...rollout, gates: judgement.reports } : rollout;
  const next = isNews ? withRollout(records, judged) : records;
  if (isNews) tellGates(turn, rollout, judged);
  if (judgement.fail !== undefined) return failGate(turn, next, judged, judgement.fail);
  if (judgement.pause === undefined || rollout.phase === 'Paused') return next;
  return pause(turn, next, judged, judgement.pause);
};

function isWatched({ phase, reason }: Rollout): boolean {
  if (phase === 'Paused') return reason !== 'Failure';
  return phase === 'Progressing' || phase === 'Baking';
}

/** What somebody looked at and let go on counts no more. */
function evidenceSince(rollout: Rollout, entry: Moved): number {
  return rollout.failure === undefined ? entry.since : Math.max(entry.since, lookedAt(rollout));
}

/** What went wrong with a gate, and that it went right again. */
function tellGates(turn: Turn, before: Rollout, after: Rollout): void {
  const isNews = (verdict: string | undefined) => verdict !== undefined && NEWS_VERDICTS.includes(verdict);
  for (const report of after.gates) {
    const known = before.gates.find(({ name }) => name === report.name);
    if (known?.verdict === report.verdict || (!isNews(report.verdict) && !isNews(known?.verdict))) continue;
    turn.tell('rollout.gate', `${nameOf(after)}: gate ${report.name}: ${report.verdict}: ${report.text}`);
  }
}

/** A refusal or a crash names its plugin; of everything else another rollout may be the cause. */
function failGate(turn: Turn, records: RolloutRecords, rollout: Rollout, gate: GateFailure): RolloutRecords {
  const failing: Failing = {
    kind: gate.kind,
    reason: gate.reason,
    gate: gate.gate,
    nodes: gate.failing.length > 0 ? gate.failing : gate.nodes,
    count: gate.count,
    text: gate.text,
    why: gate.why,
    ...(gate.at === undefined ? {} : { at: gate.at }),
    quarantine: toQuarantine(gate),
  };
  if (gate.kind === 'refusal' || gate.kind === 'reload') return fail(turn, records, rollout, failing);
  return blame(turn, records, rollout, failing, id => seemsFine(turn.facts, records, id));
}

function toQuarantine({ kind, nodes, count, text }: GateFailure): NonNullable<Failing['quarantine']> {
  const who = nodes.length === 0 ? '' : toNamesText(nodes, 1, count);
  return kind === 'refusal'
    ? { cause: 'refused', text: `was refused by ${who}` }
    : { cause: 'failed', text: who === '' ? `failed: ${text}` : `failed on ${who}` };
}
