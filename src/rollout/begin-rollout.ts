import { isSameAim } from '../model/assignment.ts';
import { toNamesText } from '../model/quantity-text.ts';
import { isActive, type Rollout, type RolloutFailure } from '../model/rollout.ts';
import { withoutHold } from './desired-side.ts';
import { quarantine } from './hold-back.ts';
import { stopMoving } from './moved-entries.ts';
import { newRollout, type Plan } from './new-rollout.ts';
import { awaitsAny } from './rollout-clock.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { nameOf, toAimText } from './rollout-text.ts';
import { latestOf, type Turn, without, withRollout } from './rollout-turn.ts';
import { revisionText } from './sides.ts';
import { findTargets, start } from './start-rollout.ts';
import { withReverted } from './succeed.ts';

/**
 * Begins a rollout, in the place of one that is under way. While nodes are just coming back after our start it waits:
 * who is connected is not known yet, and steps are for connected nodes.
 */
export function begin(turn: Turn, records: RolloutRecords, plan: Plan): RolloutRecords {
  const { facts } = turn;
  const latest = latestOf(records);
  const active = latest !== undefined && isActive(latest) ? latest : undefined;
  const isContinued = active?.phase === 'Validating' && active.specRevision === facts.spec?.revision;
  const ready = active === undefined || isContinued ? records : takeOver(turn, records, active);
  const targets = findTargets(facts, ready, plan.to);
  if (plan.strategy.inHaste !== true && awaitsAny(turn, targets)) return records;
  if (ready !== records && active !== undefined)
    turn.tell('rollout.superseded', `${nameOf(active)} Superseded by ${toPlanName(plan)}`);
  const rollout = isContinued
    ? without(active, 'why', 'hint', 'code', 'reason')
    : newRollout(turn, ready, plan, 'Progressing');
  const isFollowed = plan.kind !== 'undo' && plan.kind !== 'format';
  const { assignment } = ready;
  const lifted = isFollowed && assignment !== undefined ? withoutHold(assignment) : assignment;
  return start(turn, { ...ready, assignment: lifted }, rollout, plan, targets);
}

/** A newer one is there, or is waited for. */
export function toSuperseded({ facts }: Turn, rollout: Rollout): Rollout {
  return {
    ...without(rollout, 'pausedFrom'),
    phase: 'Superseded',
    why: 'a newer one took over',
    since: facts.now,
    endedAt: facts.now,
    stage: null,
    timer: null,
  };
}

/**
 * Nodes that it has reached keep what they have, and it gets no more of them. What was everywhere and only watched
 * counts as proven, unless it may be what nodes fail of, as does what an undo in haste goes back to.
 */
function takeOver(turn: Turn, records: RolloutRecords, active: Rollout): RolloutRecords {
  const { assignment } = records;
  const { kind, to, phase, reason, pausedFrom, failure } = active;
  const next = withRollout(records, toSuperseded(turn, active));
  const isBaking = phase === 'Baking' || (phase === 'Paused' && pausedFrom === 'Baking');
  // What an undo in haste takes back does not come again for whoever had not answered yet.
  if (kind === 'undo' && assignment !== undefined && to !== null && isSameAim(assignment.base, to))
    return withReverted(turn, { ...next, assignment: { ...assignment, moved: [] } }, active);
  const mayFail = failure !== undefined || (phase === 'Paused' && reason === 'Unattributed');
  if (!isBaking || mayFail || assignment === undefined || to === null) {
    const stopped = { ...next, assignment: stopMoving(turn.facts, records, active) };
    return failure === undefined ? stopped : holdFailed(turn.facts, stopped, active, failure);
  }
  return { ...next, assignment: { ...assignment, base: to, moved: [], since: turn.facts.now } };
}

/** It had failed and was left where it was, for a person to look at. */
function holdFailed(
  facts: RolloutFacts,
  records: RolloutRecords,
  { id, from, to }: Rollout,
  { kind, nodes, count }: RolloutFailure,
): RolloutRecords {
  if (to === null || to.revision === from.revision) return records;
  const who = toNamesText(nodes, 1, count);
  const isRefused = kind === 'refusal';
  return quarantine(facts, records, to.revision, {
    rollout: id,
    cause: isRefused ? 'refused' : 'failed',
    text: isRefused ? `was refused by ${who}` : `failed on ${who}`,
  });
}

function toPlanName({ kind, to }: Plan): string {
  return kind === 'undo' ? `an undo to ${revisionText(to)}` : toAimText({ kind, to });
}
