import { isSameAim, type Side } from '../model/assignment.ts';
import { toCountText, toDurationText, toNamesText } from '../model/quantity-text.ts';
import type { Rollout } from '../model/rollout.ts';
import { foundNothingToDo } from '../model/undo-target.ts';
import { countHere, findOpen, type Roll } from './roll.ts';
import type { RolloutRecords } from './rollout-facts.ts';
import { nameOf, toGoneText, toRunsText } from './rollout-text.ts';
import { type Turn, without, withRollout } from './rollout-turn.ts';

/** What a rollout brought is what was proven last. */
export function succeed(turn: Turn, records: RolloutRecords, rollout: Rollout): RolloutRecords {
  const { now } = turn.facts;
  const { to } = rollout;
  const { assignment } = records;
  if (to === null || assignment === undefined) return records;
  const roll = turn.facts.rollCall.of(turn, records);
  const { tally, lost } = roll;
  const unconfirmed = findOpen(roll);
  // Live without any node having tried it: the first one proves it, or takes it back.
  const isUntried = to.revision !== null && tally.out > 0 && tally.out === rollout.targets && lost.size === 0;
  const told = isUntried
    ? {
        reason: 'NoNodes' as const,
        hint: 'No node has a place for it: do its match and phase fit any listener?',
      }
    : unconfirmed.length === 0
      ? {}
      : { hint: `${toNamesText(unconfirmed)} did not confirm yet; it goes on being tried` };
  const why = toSuccessText(roll, to, rollout.plugin);
  const took = toDurationText(now - rollout.startedAt);
  turn.tell('rollout.succeeded', `${nameOf(rollout)} Succeeded in ${took}: ${why}`);
  const done: Rollout = {
    ...without(rollout, 'reason', 'hint', 'failure', 'pausedFrom'),
    ...told,
    phase: 'Succeeded',
    why,
    since: now,
    endedAt: now,
    stage: null,
    timer: null,
    steps: rollout.steps.map(step =>
      step.state === 'active' ? { ...step, state: 'passed', endedAt: now } : step,
    ),
  };
  const next = { ...records, assignment: { ...assignment, base: to, moved: [], since: now } };
  return withReverted(turn, withRollout(next, done), done);
}

/** The rollout that an undo undid shows so from now on: the undo is over, or a newer one took over from it. */
export function withReverted(turn: Turn, records: RolloutRecords, undo: Rollout): RolloutRecords {
  // One that only took off what was stopped where it was undid nothing that was live.
  if (undo.kind !== 'undo' || (undo.to !== null && isSameAim(undo.from, undo.to))) return records;
  const undone = records.rollouts.findLast(
    rollout =>
      rollout.number < undo.number &&
      rollout.phase === 'Succeeded' &&
      rollout.kind !== 'format' &&
      !foundNothingToDo(rollout),
  );
  if (undone === undefined) return records;
  turn.tell('rollout.reverted', `${nameOf(undone)} was undone by ${undo.by}`);
  const why = `undone by ${undo.by} with ${undo.id}${undo.note === undefined ? '' : `: ${JSON.stringify(undo.note)}`}`;
  return withRollout(records, { ...undone, phase: 'Reverted', reason: 'Undone', why, since: turn.facts.now });
}

/** `299 of 299 connected nodes run revision 10; edge-c-044 is gone and gets it when it returns` */
function toSuccessText({ lost, tally }: Roll, to: Side, plugin: string): string {
  const here = countHere(tally);
  const connected = lost.size === 0 ? 'node' : 'connected node';
  const runs = `${tally.done} of ${toCountText(here, connected)} ${toRunsText(to, plugin, here)}`;
  return [runs, toGoneText([...lost].sort())].filter(text => text !== '').join('; ');
}
