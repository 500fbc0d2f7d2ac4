import type { Rollout } from '../model/rollout.ts';
import type { FleetNode } from './fleet-node.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { latestOf, type Rule, type Turn, withRollout } from './rollout-turn.ts';

/*
 * The one clock of a rollout. It does not run while the rollout is paused, while Attaché is down, and for a minute
 * after our start while nodes that the rollout moved are not back: a soak that nobody watched proves nothing.
 */

/** Nodes get this long after our start to come back before their absence is judged. */
export const START_GRACE_MS = 60_000;
/** A node that is gone for less may be restarting, or it is us who stop. */
export const LOST_AFTER_MS = 10_000;
/** How much of the clock a kill may lose; a commit costs more than a moment of soak. */
export const KEEP_TIMER_MS = 5_000;

/** It was connected when our last run ended, is gone, and it is too early to think anything of it. */
export function isAwaited({ now, startedAt }: RolloutFacts, { presence, expected }: FleetNode): boolean {
  return expected && now < startedAt + START_GRACE_MS && !presence.connected;
}

/** Wakes when the last awaited node is not awaited any more; answers whether there is one. */
export function awaitsAny(turn: Turn, nodes: readonly FleetNode[]): boolean {
  const { facts } = turn;
  if (!nodes.some(node => isAwaited(facts, node))) return false;
  turn.wake(facts.startedAt + START_GRACE_MS);
  return true;
}

/** What is left of the rollout's timer now; wakes when it is over. */
export function leftMs(turn: Turn, { timer }: Rollout, records: RolloutRecords): number {
  if (timer === null) return Number.POSITIVE_INFINITY;
  const from = runningSince(turn, timer.at, records);
  if (from === null) return timer.leftMs;
  const left = Math.max(0, timer.leftMs - Math.max(0, turn.facts.now - from));
  turn.wake(turn.facts.now + left);
  return left;
}

/** The timer as it stands now, for keeping. */
export function settleTimer(turn: Turn, rollout: Rollout, records: RolloutRecords): Rollout['timer'] {
  return rollout.timer && { leftMs: leftMs(turn, rollout, records), at: turn.facts.now };
}

/** Keeps the timer of a rollout that is under way, so that a kill of ours costs it little. */
export const keepTimer: Rule = (turn, records) => {
  const rollout = latestOf(records);
  if (rollout === undefined || rollout.timer === null || rollout.phase === 'Paused') return records;
  const { timer } = rollout;
  const { now } = turn.facts;
  const from = runningSince(turn, timer.at, records);
  if (from === null) return records;
  // A clock that was set back would otherwise stand still until it is there again.
  if (timer.at <= now && now - from < KEEP_TIMER_MS) {
    turn.wake(from + KEEP_TIMER_MS);
    return records;
  }
  return withRollout(records, { ...rollout, timer: settleTimer(turn, rollout, records) });
};

/** Since when the timer runs, from its last reading on; null: it stands still. */
function runningSince(turn: Turn, readAt: number, records: RolloutRecords): number | null {
  const { now, startedAt, rollCall } = turn.facts;
  // By the end of the grace nobody is waited for any more.
  if (readAt >= startedAt + START_GRACE_MS && now >= startedAt + START_GRACE_MS) return Math.min(now, readAt);
  const roll = rollCall.of(turn, records);
  if (roll.isAwaitingAny) return null;
  return Math.min(now, Math.max(readAt, startedAt, roll.returnedAt));
}

/** When a node that was waited for came back, or was not waited for any more: by the end of the grace. */
export function returnedAt({ startedAt, now }: RolloutFacts, node: FleetNode | undefined): number {
  if (node === undefined) return startedAt;
  const { connected, since } = node.presence;
  const graceEnd = startedAt + START_GRACE_MS;
  if (!connected) return node.expected ? graceEnd : startedAt;
  return since > now ? startedAt : Math.max(startedAt, Math.min(since, graceEnd));
}
