import { isSameAim } from '../model/assignment.ts';
import { toCountText, toDurationText, toNamesText } from '../model/quantity-text.ts';
import type { Rollout, WayBack } from '../model/rollout.ts';
import { findDesired, findHold } from './desired-side.ts';
import { isOver } from './pause-rollout.ts';
import { countHere, findOpen } from './roll.ts';
import { isReturning } from './roll-call.ts';
import { leftMs } from './rollout-clock.ts';
import type { RolloutRecords } from './rollout-facts.ts';
import { nameOf, toRunsText } from './rollout-text.ts';
import { latestOf, type Rule, type Turn, withRollout } from './rollout-turn.ts';
import { baseOf } from './sides.ts';

/** Nodes get this long to confirm that they are back. */
export const BACK_MS = 600_000;
/** Somebody waits with something newer: nodes that do not answer in this time are left to be tried on. */
const BACK_IN_HASTE_MS = 60_000;
const SHOWN = 20;

/** Watches the nodes that had been moved until all of them have confirmed. */
export const returnNodes: Rule = (turn, records) => {
  const rollout = latestOf(records);
  if (rollout === undefined || !isReturning(rollout)) return records;
  const { facts } = turn;
  const roll = facts.rollCall.of(turn, records);
  const confirmed = roll.tally.done;
  const touched = countHere(roll.tally);
  const startedAt = rollout.back?.startedAt ?? rollout.since;
  if (touched === confirmed) {
    const tookMs = facts.now - startedAt;
    return endBack(turn, records, rollout, { touched, confirmed, startedAt, missing: [], tookMs });
  }
  const back: WayBack = { touched, confirmed, startedAt, missing: findOpen(roll, SHOWN) };
  if (
    rollout.phase === 'RollingBack' &&
    (isOver(turn, rollout, records) || isInTheWay(turn, records, rollout))
  )
    return giveUp(turn, records, { ...rollout, back }, findOpen(roll, touched));
  if (JSON.stringify(back) === JSON.stringify(rollout.back)) return records;
  return withRollout(records, { ...rollout, back });
};

function endBack(turn: Turn, records: RolloutRecords, rollout: Rollout, back: WayBack): RolloutRecords {
  const { now } = turn.facts;
  const phase = rollout.failure?.kind === 'abort' ? 'Aborted' : 'RolledBack';
  const { touched, tookMs = 0 } = back;
  const they =
    touched === 0
      ? 'no node had been touched'
      : `${toBackText(rollout, touched)} (${toDurationText(tookMs)})`;
  turn.tell(
    phase === 'Aborted' ? 'rollout.aborted' : 'rollout.rolled-back',
    `${nameOf(rollout)} ${phase}: ${they}`,
  );
  return withRollout(records, {
    ...rollout,
    phase,
    since: now,
    endedAt: now,
    stage: null,
    timer: null,
    back,
  });
}

/** `all 30 nodes run revision 7 again` */
function toBackText({ from, plugin }: Rollout, count: number): string {
  const who = count === 1 ? '1 node' : `all ${toCountText(count, 'node')}`;
  return `${who} ${toRunsText(from, plugin, count)} again`;
}

function giveUp(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  missing: readonly string[],
): RolloutRecords {
  const { now } = turn.facts;
  const message = `${toCountText(missing.length, 'node')} did not confirm to be back: ${toNamesText(missing)}. It goes on being tried`;
  turn.tell('rollout.rollback-incomplete', `${nameOf(rollout)}: ${message}`, missing[0]);
  return withRollout(records, {
    ...rollout,
    phase: 'RollbackIncomplete',
    since: now,
    endedAt: now,
    stage: null,
    timer: null,
  });
}

/** Something newer is ready, and nodes that do not answer are not worth its waiting. */
function isInTheWay(turn: Turn, records: RolloutRecords, rollout: Rollout): boolean {
  const { facts } = turn;
  const desired = findDesired(facts);
  if (desired.kind !== 'side' || facts.freeze !== undefined) return false;
  const base = baseOf(records.assignment, facts.format);
  if (isSameAim(desired.side, base) || findHold(facts, records, desired.side) !== undefined) return false;
  const passed = BACK_MS - leftMs(turn, rollout, records);
  turn.wake(facts.now + BACK_IN_HASTE_MS - passed);
  return passed >= BACK_IN_HASTE_MS;
}
