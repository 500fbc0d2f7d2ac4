import type { GateReport, Rollout, RolloutReason } from '../model/rollout.ts';
import { leftMs, settleTimer } from './rollout-clock.ts';
import type { RolloutRecords } from './rollout-facts.ts';
import { nameOf } from './rollout-text.ts';
import { latestOf, type Rule, type Turn, without, withRollout } from './rollout-turn.ts';

/** Pauses that a person ends knowing what the gates had found. */
const LOOKED_AT: readonly RolloutReason[] = ['Failure', 'Inconclusive', 'MetricErrors', 'Unattributed'];

/** Stops the clock and every further step; what was moved stays. */
export function pause(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  { reason, why }: { readonly reason: RolloutReason; readonly why: string },
): RolloutRecords {
  turn.tell('rollout.paused', `${nameOf(rollout)} paused: ${why}`);
  return withRollout(records, toPaused(turn, records, rollout, { reason, why }));
}

/** As `pause`, without the news. */
export function toPaused(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  { reason, why }: { readonly reason: RolloutReason; readonly why: string },
): Rollout {
  const pausedFrom = rollout.pausedFrom ?? (rollout.phase === 'Baking' ? 'Baking' : 'Progressing');
  const timer = rollout.phase === 'Paused' ? rollout.timer : settleTimer(turn, rollout, records);
  return { ...rollout, phase: 'Paused', reason, why, pausedFrom, since: turn.facts.now, timer };
}

/** Goes on where it was paused. What was held against it by then was looked at by whoever resumes it. */
export function toResumed(turn: Turn, rollout: Rollout): Rollout {
  const { now } = turn.facts;
  const { pausedFrom = 'Progressing', reason, timer, gates } = rollout;
  const looked = reason !== undefined && LOOKED_AT.includes(reason);
  return {
    ...without(rollout, 'reason', 'why', 'pausedFrom'),
    phase: pausedFrom,
    since: now,
    timer: timer && { ...timer, at: now },
    gates: looked ? gates.map(clearReport) : gates,
  };
}

/** When a person last let a rollout go on: what was to be seen by then was looked at. 0: nobody did. */
export function lookedAt({ lookedAt: at = 0 }: Rollout): number {
  return at;
}

/** A freeze pauses what runs; what it paused goes on by itself. */
export const followFreeze: Rule = (turn, records) => {
  const rollout = latestOf(records);
  const { freeze } = turn.facts;
  if (rollout === undefined) return records;
  if (freeze === undefined && rollout.phase === 'Paused' && rollout.reason === 'Frozen') {
    turn.tell('rollout.resumed', `${nameOf(rollout)} goes on: the freeze was lifted`);
    return withRollout(records, toResumed(turn, rollout));
  }
  if (freeze === undefined || (rollout.phase !== 'Progressing' && rollout.phase !== 'Baking')) return records;
  // The way back stays open.
  if (rollout.kind === 'undo') return records;
  const said = freeze.message === null ? '' : `: ${JSON.stringify(freeze.message)}`;
  return pause(turn, records, rollout, {
    reason: 'Frozen',
    why: `all changes are frozen by ${freeze.by}${said}`,
  });
};

function clearReport(report: GateReport): GateReport {
  return { ...report, verdict: 'waiting', failures: 0, errors: 0 };
}

/** Whether the clock of its stage is at its end. */
export function isOver(turn: Turn, rollout: Rollout, records: RolloutRecords): boolean {
  return leftMs(turn, rollout, records) <= 0;
}
