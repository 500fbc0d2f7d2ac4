import { toCountText } from '../model/quantity-text.ts';
import { isActive, type Rollout } from '../model/rollout.ts';
import { isLegal, type RolloutIntent } from '../model/rollout-intent.ts';
import { movedBy } from '../model/rollout-moves.ts';
import { begin } from './begin-rollout.ts';
import { findDesired, findHold, holdTarget, withoutHold } from './desired-side.ts';
import { type Failing, goBack } from './go-back.ts';
import { holdBack, lift } from './hold-back.ts';
import { stopMoving } from './moved-entries.ts';
import { newAssignment } from './new-rollout.ts';
import { pause, toResumed } from './pause-rollout.ts';
import { promote } from './promote-rollout.ts';
import type { RolloutRecords } from './rollout-facts.ts';
import { nameOf, toSaidText } from './rollout-text.ts';
import { latestOf, type Rule, type Turn, without, withRollout } from './rollout-turn.ts';
import { undo } from './undo-rollout.ts';

/**
 * What became of an intent, in Rollout.intent.
 * - `done`
 * - `already-back`: an undo of what is not there
 * - `too-late`: the rollout is not, or not any more, in a phase that allows it
 */
export type IntentOutcome = 'done' | 'already-back' | 'too-late';

/** Takes in what a person asked for, once. */
export const takeIntent: Rule = (turn, records) => {
  const { intent } = turn.facts;
  const latest = latestOf(records);
  if (intent === undefined || latest === undefined) return records;
  const taken = Math.max(0, ...records.rollouts.map(rollout => rollout.intent?.id ?? 0));
  if (intent.id <= taken) return records;
  const { outcome, records: next } = act(turn, records, latest, intent);
  if (outcome === 'waits') return records;
  const newest = latestOf(next) ?? latest;
  return withRollout(next, { ...newest, intent: { id: intent.id, outcome } });
};

interface Acted {
  readonly outcome: IntentOutcome | 'waits';
  readonly records: RolloutRecords;
}

function act(turn: Turn, records: RolloutRecords, latest: Rollout, intent: RolloutIntent): Acted {
  if (intent.action === 'undo') return actUndo(turn, records, latest, intent);
  if (intent.action === 'retry') return actRetry(turn, records, latest, intent);
  if (intent.rollout !== latest.id || !isLegal(intent.action, latest.phase)) return tooLate(records);
  const looked = { ...latest, lookedAt: intent.at };
  switch (intent.action) {
    case 'pause': {
      const why = `by ${intent.by}${toSaidText(intent.message)}`;
      return done(pause(turn, records, latest, { reason: 'Person', why }));
    }
    case 'resume':
      turn.tell('rollout.resumed', `${nameOf(latest)} goes on, by ${intent.by}${toSaidText(intent.message)}`);
      // A step that waited for a person was waiting for this.
      if (latest.reason === 'Human') return done(promote(turn, records, looked, false));
      return done(withRollout(records, toResumed(turn, looked)));
    case 'promote':
      turn.tell(
        'rollout.promoted',
        `${nameOf(latest)} promoted${intent.full === true ? ' to every node' : ''} by ${intent.by}${toSaidText(intent.message)}`,
      );
      return done(promote(turn, records, looked, intent.full === true));
    case 'abort':
      return done(abort(turn, records, latest, intent));
    default:
      return intent.action satisfies never;
  }
}

function done(records: RolloutRecords): Acted {
  return { outcome: 'done', records };
}

function tooLate(records: RolloutRecords): Acted {
  return { outcome: 'too-late', records };
}

/** Stops, and takes everything back unless it is to stay as it is. */
function abort(turn: Turn, records: RolloutRecords, latest: Rollout, intent: RolloutIntent): RolloutRecords {
  const { facts } = turn;
  const said = toSaidText(intent.message);
  const failing: Failing = {
    kind: 'abort',
    reason: 'Person',
    nodes: [],
    text: intent.message ?? '',
    why: `aborted by ${intent.by}${said}`,
    quarantine: { cause: 'aborted', text: `was aborted by ${intent.by}`, by: intent.by },
  };
  const ended: Rollout = {
    ...without(latest, 'reason', 'hint', 'code', 'pausedFrom'),
    phase: 'Aborted',
    why: failing.why,
    since: facts.now,
    endedAt: facts.now,
    stage: null,
    timer: null,
  };
  if (latest.phase === 'Validating') {
    turn.tell('rollout.aborted', `${nameOf(latest)} Aborted before any node: ${failing.why}`);
    const assignment = records.assignment ?? newAssignment(facts);
    return withRollout({ ...records, assignment: holdTarget(facts, assignment, null) }, ended);
  }
  if (intent.freeze !== true) return goBack(turn, records, latest, failing);
  const left = movedBy(records.nodes).size;
  const why = `${failing.why}; ${toCountText(left, 'node')} stay as they are`;
  turn.tell('rollout.aborted', `${nameOf(latest)} Aborted: ${why}`);
  const stopped = { ...records, assignment: stopMoving(facts, records, latest) };
  const cause = {
    rollout: latest.id,
    cause: 'aborted',
    text: `was aborted by ${intent.by}`,
    by: intent.by,
  } as const;
  return holdBack(facts, withRollout(stopped, { ...ended, why }), latest, cause);
}

/** Lifts what is held back; the document is followed again by itself. */
function actRetry(turn: Turn, records: RolloutRecords, latest: Rollout, intent: RolloutIntent): Acted {
  const { facts } = turn;
  const meant = records.rollouts.find(({ id }) => id === intent.rollout);
  if (meant === undefined || isActive(latest)) return tooLate(records);
  const desired = findDesired(facts);
  const isHeld = desired.kind === 'side' && findHold(facts, records, desired.side) !== undefined;
  if (!isLegal('retry', meant.phase) && !isHeld) return tooLate(records);
  const sides = [meant.to, desired.kind === 'side' ? desired.side : null];
  const quarantine = new Map(records.quarantine);
  for (const side of sides) quarantine.delete(facts.revisions.get(side?.revision ?? -1)?.contentHash ?? '');
  const assignment = records.assignment && withoutHold(records.assignment);
  turn.tell(
    'rollout.retried',
    `${nameOf(meant)} is tried again, by ${intent.by}${toSaidText(intent.message)}`,
  );
  const lifted = sides.reduce<RolloutRecords>((left, side) => lift(facts, left, side?.revision ?? null), {
    ...records,
    assignment,
  });
  const { kind, to } = meant;
  if (isHeld || to === null || (kind !== 'format' && kind !== 'undo')) return done(lifted);
  const next = begin(turn, lifted, {
    kind,
    to: { ...to, format: facts.format },
    by: intent.by,
    note: intent.message,
    strategy: { document: facts.spec?.value.rollout },
    intent: intent.id,
  });
  return next === lifted ? { outcome: 'waits', records } : done(next);
}

function actUndo(turn: Turn, records: RolloutRecords, latest: Rollout, intent: RolloutIntent): Acted {
  // Who asks twice wants it gone, not back: an undo that is under way is stopped by abort only.
  const isOnItsWay = latest.kind === 'undo' && isActive(latest) && intent.to === undefined;
  if (latest.phase === 'RollingBack' || isOnItsWay) return { outcome: 'already-back', records };
  if (isActive(latest)) {
    const isBack = intent.to === undefined || intent.to === records.assignment?.base.revision;
    return isBack ? done(abort(turn, records, latest, intent)) : tooLate(records);
  }
  const next = undo(turn, records, intent);
  if (next === undefined) return { outcome: 'already-back', records };
  return next.rollouts === records.rollouts ? { outcome: 'waits', records } : done(next);
}
