import type { Side } from '../model/assignment.ts';
import { isActive, type Rollout } from '../model/rollout.ts';
import { findDesired, findHold, holdTarget, isHeldTarget, withoutHold } from './desired-side.ts';
import { stopMoving } from './moved-nodes.ts';
import { findTargets, newAssignment, newRollout, type Plan, start } from './new-rollout.ts';
import { isAwaited, START_GRACE_MS } from './rollout-clock.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { nameOf, toAimText } from './rollout-text.ts';
import { latestOf, type Rule, type Turn, without, withRollout } from './rollout-turn.ts';
import { baseOf, isSameAim, isSameSide, kindOf, revisionText } from './sides.ts';

/** Who acts where nobody said who. */
const SOMEBODY = 'admin';
/** Who rolls out what a newer Attaché compiles otherwise. */
const OURSELVES = 'attache';

/** Follows the newest document: begins a rollout, or takes over from one that is under way. */
export const followDocument: Rule = (turn, records) => {
  const { facts } = turn;
  if (facts.spec === undefined) return records;
  const latest = latestOf(records);
  if (latest?.phase === 'RollingBack') return records;
  const desired = findDesired(facts);
  if (desired.kind === 'unknown') return records;
  if (desired.kind === 'unusable') return records;
  if (isUnderWay(records, desired.side)) return records;
  const base = baseOf(records.assignment, facts.format);
  const isThere =
    !isBusy(latest) && isSameAim(base, desired.side) && (records.assignment?.moved.length ?? 0) === 0;
  if (isThere) return endNothingToDo(turn, records);
  const hold = findHold(facts, records, desired.side);
  if (hold !== undefined) return holdBack(turn, records, desired.side, hold.quarantine?.text);
  if (facts.freeze !== undefined) return records;
  return begin(turn, records, toPlan(facts, records, desired.side));
};

/** The module stage cannot get what the document names: that is told by a rollout that does not start. */
export const followModule: Rule = (turn, records) => {
  const { facts } = turn;
  const latest = latestOf(records);
  const desired = findDesired(facts);
  if (facts.spec === undefined || desired.kind !== 'unusable' || isBusy(latest)) return records;
  if (isHeldTarget(records.assignment?.held, { specRevision: facts.spec.revision, revision: null }))
    return records;
  const { progress } = desired;
  const known = latest?.specRevision === facts.spec.revision && isAboutModule(latest) ? latest : undefined;
  const fresh =
    known === undefined && latest?.phase === 'Validating'
      ? withRollout(records, toSuperseded(turn, latest))
      : records;
  const said = {
    ...(progress.message === undefined ? {} : { why: progress.message }),
    ...(progress.hint === undefined ? {} : { hint: progress.hint }),
    ...(progress.code === undefined ? {} : { code: progress.code }),
  };
  if (known?.phase === 'NotStarted') return records;
  const base = known ?? newRollout(turn, fresh, toModulePlan(facts, fresh), 'Validating');
  const isFinal = progress.state === 'failed';
  const next: Rollout = {
    ...without(base, 'why', 'hint', 'code', 'reason'),
    ...said,
    ...(isFinal
      ? { phase: 'NotStarted', since: facts.now, endedAt: facts.now }
      : { phase: 'Validating', reason: 'ModuleUnavailable' }),
  };
  if (JSON.stringify(next) === JSON.stringify(known)) return records;
  if (isFinal)
    turn.tell(
      'rollout.not-started',
      `${nameOf(next)} NotStarted, no node was touched: ${progress.message ?? ''}`,
    );
  else if (known === undefined)
    turn.tell('rollout.validating', `${nameOf(next)} waits for its module: ${progress.message ?? ''}`);
  return known === undefined
    ? { ...fresh, rollouts: [...fresh.rollouts, next], nodes: undefined }
    : withRollout(fresh, next);
};

/** An upgrade of Attaché that compiles otherwise reaches nodes through a rollout like anything else. */
export const followFormat: Rule = (turn, records) => {
  const { facts } = turn;
  const { assignment } = records;
  const latest = latestOf(records);
  if (assignment === undefined || facts.spec === undefined || facts.freeze !== undefined) return records;
  const { base } = assignment;
  if (base.revision === null || base.format === facts.format || assignment.moved.length > 0) return records;
  if ((latest !== undefined && isActive(latest)) || latest?.phase === 'RollbackIncomplete') return records;
  const to = { ...base, format: facts.format };
  const wasTried = records.rollouts.some(
    rollout => rollout.kind === 'format' && rollout.to !== null && isSameSide(rollout.to, to),
  );
  if (wasTried) return records;
  const { rollout } = facts.spec.value;
  return begin(turn, records, { kind: 'format', to, by: OURSELVES, strategy: { document: rollout } });
};

/** Begins a rollout, in the place of one that is under way; waits for nodes that are just coming back. */
export function begin(turn: Turn, records: RolloutRecords, plan: Plan): RolloutRecords {
  const { facts } = turn;
  const latest = latestOf(records);
  const ready = latest !== undefined && isActive(latest) ? takeOver(turn, records, latest) : records;
  const targets = findTargets(facts, ready, plan.to);
  if (plan.strategy.inHaste !== true && awaitsTarget(facts, targets)) {
    turn.wake(facts.startedAt + START_GRACE_MS);
    return records;
  }
  const waits = latest?.phase === 'Validating' && latest.specRevision === facts.spec?.revision;
  if (latest !== undefined && isActive(latest) && !waits)
    turn.tell('rollout.superseded', `${nameOf(latest)} Superseded by ${toPlanName(plan)}`);
  const kept = waits ? records : ready;
  const rollout = waits
    ? without(latest, 'why', 'hint', 'code', 'reason')
    : newRollout(turn, kept, plan, 'Progressing');
  const isFollowed = plan.kind !== 'undo' && plan.kind !== 'format';
  const assignment = isFollowed && kept.assignment?.held ? withoutHold(kept.assignment) : kept.assignment;
  return start(turn, { ...kept, assignment }, rollout, plan, targets);
}

function toPlanName({ kind, to }: Plan): string {
  return kind === 'undo' ? `an undo to ${revisionText(to)}` : toAimText({ kind, to });
}

/** Who is connected is not known yet, and steps are for connected nodes. */
function awaitsTarget(facts: RolloutFacts, targets: readonly { readonly id: string }[]): boolean {
  return targets.some(({ id }) => {
    const node = facts.fleet.get(id);
    return node !== undefined && isAwaited(facts, node);
  });
}

/** Nodes that it has not reached keep what they have, also those still to come; what was everywhere and only watched counts as proven. */
function takeOver(turn: Turn, records: RolloutRecords, latest: Rollout): RolloutRecords {
  const { assignment } = records;
  const { to } = latest;
  const isProven =
    latest.phase === 'Baking' ||
    (latest.phase === 'Paused' && latest.pausedFrom === 'Baking' && latest.failure === undefined);
  const next = withRollout(records, toSuperseded(turn, latest));
  if (!isProven || assignment === undefined || to === null)
    return { ...next, assignment: stopMoving(turn.facts, records, latest) };
  return { ...next, assignment: { ...assignment, base: to, moved: [], since: turn.facts.now } };
}

function toSuperseded({ facts }: Turn, rollout: Rollout): Rollout {
  const { pausedFrom: _pausedFrom, ...rest } = rollout;
  return {
    ...rest,
    phase: 'Superseded',
    why: 'a newer one took over',
    since: facts.now,
    endedAt: facts.now,
    stage: null,
    timer: null,
  };
}

function toPlan(facts: RolloutFacts, records: RolloutRecords, to: Side): Plan {
  const base = baseOf(records.assignment, facts.format);
  const spec = facts.spec?.value;
  const deleted = spec?.deleted;
  const isFirst = !records.rollouts.some(
    ({ specRevision, phase }) => specRevision === facts.spec?.revision && phase !== 'Validating',
  );
  const preset = deleted?.now === true ? 'all-at-once' : isFirst ? spec?.preset : undefined;
  return {
    kind: kindOf(base, to),
    to,
    by: deleted?.by ?? spec?.by ?? SOMEBODY,
    note: deleted === undefined ? spec?.message : deleted.message,
    strategy: { document: spec?.rollout, preset },
  };
}

function toModulePlan(
  facts: RolloutFacts,
  records: RolloutRecords,
): Omit<Plan, 'to'> & { readonly to: null } {
  const spec = facts.spec?.value;
  const kind = baseOf(records.assignment, facts.format).revision === null ? 'install' : 'update';
  return {
    kind,
    to: null,
    by: spec?.by ?? SOMEBODY,
    note: spec?.message,
    strategy: { document: spec?.rollout, preset: spec?.preset },
  };
}

/** Says once what is not done, and why; a rollout that waited for the module ends with that. */
function holdBack(turn: Turn, records: RolloutRecords, side: Side, text: string | undefined): RolloutRecords {
  const { facts } = turn;
  const latest = latestOf(records);
  const what = side.revision === null ? 'the removal' : revisionText(side);
  const why = `${what} ${text ?? 'did not succeed before'} and is held back; nothing was changed. To try it again: attache rollout retry ${facts.plugin}`;
  const assignment = records.assignment ?? newAssignment(facts, facts.format);
  const { held } = assignment;
  const isHeld = held?.specRevision === facts.spec?.revision && held?.revision === side.revision;
  // A hold from before there was a revision says the same already.
  const isKnown = isHeld || text === undefined;
  if (isKnown && latest?.phase !== 'Validating') return records;
  turn.tell('rollout.held-back', `${facts.plugin}: ${why}`);
  const next = isKnown ? records : { ...records, assignment: holdTarget(facts, assignment, side.revision) };
  if (latest?.phase !== 'Validating') return next;
  const ended = { phase: 'NotStarted', to: side, why, since: facts.now, endedAt: facts.now } as const;
  return withRollout(next, { ...without(latest, 'hint', 'code', 'reason'), ...ended });
}

/** A document that waited for its module turned out to ask for what is there. */
function endNothingToDo(turn: Turn, records: RolloutRecords): RolloutRecords {
  const { facts } = turn;
  const latest = latestOf(records);
  if (latest?.phase !== 'Validating') return records;
  const to = baseOf(records.assignment, facts.format);
  if (latest.specRevision !== facts.spec?.revision) return withRollout(records, toSuperseded(turn, latest));
  const why = `nothing to change: ${revisionText(to)} is what nodes run`;
  const ended = { phase: 'Succeeded', to, why, since: facts.now, endedAt: facts.now } as const;
  return withRollout(records, { ...without(latest, 'hint', 'code', 'reason'), ...ended });
}

/** A rollout moves nodes, or has yet to take them back. */
function isBusy(latest: Rollout | undefined): boolean {
  return latest !== undefined && isActive(latest) && latest.phase !== 'Validating';
}

function isUnderWay(records: RolloutRecords, side: Side): boolean {
  const latest = latestOf(records);
  if (latest === undefined || !isBusy(latest) || latest.to === null) return false;
  // An undo is what the person wants, whatever the document says; its hold keeps the document off.
  return isSameAim(latest.to, side);
}

function isAboutModule({ phase }: Rollout): boolean {
  return phase === 'Validating' || phase === 'NotStarted';
}
