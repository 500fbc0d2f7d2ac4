import { type Assignment, holds, type Moved } from '../model/assignment.ts';
import type { Quarantine } from '../model/fleet-records.ts';
import { toCountText, toDurationText, toNamesText } from '../model/quantity-text.ts';
import type {
  Rollout,
  RolloutFailure,
  RolloutNodes,
  RolloutReason,
  RolloutStep,
  WayBack,
} from '../model/rollout.ts';
import { findDesired, holdTarget, withoutHold } from './desired-side.ts';
import { stopMoving } from './moved-nodes.ts';
import { arrivalOf, runsOn } from './node-arrival.ts';
import { isOver, toPaused } from './pause-rollout.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { nameOf, toRunsText } from './rollout-text.ts';
import { latestOf, type Rule, type Turn, withRollout } from './rollout-turn.ts';
import { isSameAim } from './sides.ts';

/** Nodes get this long to confirm that they are back. */
export const BACK_MS = 600_000;
/** Somebody waits with something newer: nodes that do not answer in this time are left to be tried on. */
const BACK_IN_HASTE_MS = 60_000;
const SHOWN = 20;

/** Why a rollout ends before its time. */
export interface Failing {
  readonly kind: RolloutFailure['kind'];
  readonly reason: RolloutReason;
  readonly gate?: string;
  /** All of them, the first at fault first. */
  readonly nodes: readonly string[];
  readonly count?: number;
  /** Envoy's text, or the numbers. */
  readonly text: string;
  /** One sentence. */
  readonly why: string;
  /** undefined: the content may be tried again by itself. */
  readonly quarantine?: Pick<Quarantine, 'cause' | 'text' | 'by'>;
}

/** Goes back at once, or pauses where the strategy says so. */
export function fail(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  failing: Failing,
): RolloutRecords {
  const isPersons = failing.kind === 'abort';
  if (rollout.strategy.onFailure === 'rollback' || isPersons) return goBack(turn, records, rollout, failing);
  turn.tell(
    'rollout.paused',
    `${nameOf(rollout)} paused, and no further node is touched (onFailure: freeze): ${failing.why}`,
    failing.nodes[0],
  );
  const paused = toPaused(turn, records, rollout, { reason: 'Failure', why: failing.why });
  const assignment = stopMoving(turn.facts, records, rollout);
  return withRollout(
    { ...records, assignment },
    { ...paused, failure: toFailure(turn.facts, rollout, failing) },
  );
}

/** Everything that any rollout moved goes to what was proven last; what failed is not tried again by itself. */
export function goBack(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  failing: Failing,
): RolloutRecords {
  const { facts } = turn;
  const { now } = facts;
  const lifted = rollout.kind === 'undo' ? liftUndone(facts, records, rollout) : records;
  const nodes = records.nodes && withLeftBehind(facts, records.nodes, records.assignment);
  const back: WayBack = { touched: 0, confirmed: 0, startedAt: now, missing: [] };
  const next: Rollout = {
    ...rollout,
    phase: 'RollingBack',
    reason: failing.reason,
    why: failing.why,
    since: now,
    stage: 'Returning',
    timer: { leftMs: BACK_MS, at: now },
    steps: rollout.steps.map((step, index) => (index === rollout.step ? endStep(step, now) : step)),
    failure: toFailure(facts, rollout, failing),
    back,
  };
  const { pausedFrom: _pausedFrom, ...rest } = next;
  turn.tell('rollout.rolling-back', `${nameOf(rollout)} goes back: ${failing.why}`, failing.nodes[0]);
  return hold(
    turn,
    { ...withRollout(lifted, rest), nodes, assignment: emptyMoved(lifted.assignment, now) },
    rollout,
    rollout.kind === 'undo' && failing.kind === 'abort' ? {} : failing,
  );
}

/** An undo that is taken back leaves what it was to undo as it was. */
function liftUndone({ revisions }: RolloutFacts, records: RolloutRecords, { from }: Rollout): RolloutRecords {
  const { revision } = from;
  const { assignment } = records;
  const hash = (revision === null ? undefined : revisions.get(revision)?.contentHash) ?? '';
  const quarantine = new Map(records.quarantine);
  if (quarantine.get(hash)?.cause === 'undone') quarantine.delete(hash);
  const isHeld = assignment?.held?.revision === revision;
  return { ...records, quarantine, assignment: isHeld ? assignment && withoutHold(assignment) : assignment };
}

/** Keeps what a rollout was to bring from being tried again by itself. */
export function hold(
  { facts }: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  { quarantine: put }: Pick<Failing, 'quarantine'>,
): RolloutRecords {
  const { to } = rollout;
  const desired = findDesired(facts);
  const isWanted = to !== null && desired.kind === 'side' && isSameAim(desired.side, to);
  const assignment =
    isWanted && records.assignment ? holdTarget(facts, records.assignment, to.revision) : records.assignment;
  const revision = to?.revision ?? null;
  const content = revision === null ? undefined : facts.revisions.get(revision);
  // What runs where it was proven stays what it is: only its way to other nodes failed.
  const isProven = assignment?.base.revision === revision;
  if (put === undefined || content === undefined || revision === null || isProven)
    return { ...records, assignment };
  const { plugin, contentHash } = content;
  const quarantine = new Map(records.quarantine);
  quarantine.set(contentHash, { plugin, contentHash, revision, rollout: rollout.id, ...put, at: facts.now });
  return { ...records, assignment, quarantine };
}

/** Watches the nodes that had been moved until all of them have confirmed. */
export const returnNodes: Rule = (turn, records) => {
  const rollout = latestOf(records);
  if (rollout?.phase !== 'RollingBack' && rollout?.phase !== 'RollbackIncomplete') return records;
  const { facts } = turn;
  const { confirmed, missing, touched } = countBack(turn, records, rollout);
  const startedAt = rollout.back?.startedAt ?? rollout.since;
  const shown = missing.slice(0, SHOWN);
  if (missing.length === 0) {
    const tookMs = facts.now - startedAt;
    return endBack(turn, records, rollout, { touched, confirmed, startedAt, missing: [], tookMs });
  }
  const back: WayBack = { touched, confirmed, startedAt, missing: shown };
  if (
    rollout.phase === 'RollingBack' &&
    (isOver(turn, rollout, records) || isInTheWay(turn, rollout, startedAt))
  )
    return giveUp(turn, records, { ...rollout, back }, missing);
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
function isInTheWay(turn: Turn, { to }: Rollout, startedAt: number): boolean {
  const desired = findDesired(turn.facts);
  if (desired.kind !== 'side' || (to !== null && isSameAim(desired.side, to))) return false;
  turn.wake(startedAt + BACK_IN_HASTE_MS);
  return turn.facts.now >= startedAt + BACK_IN_HASTE_MS;
}

function countBack(turn: Turn, { nodes, assignment }: RolloutRecords, rollout: Rollout) {
  const missing: string[] = [];
  let confirmed = 0;
  const aim = {
    side: assignment?.base ?? rollout.from,
    since: rollout.back?.startedAt ?? rollout.since,
    recompiled: rollout.kind === 'format',
    ackTimeoutMs: rollout.strategy.ackTimeoutMs,
  };
  for (const id of Object.keys(nodes?.movedAt ?? {})) {
    const arrival = arrivalOf(turn, id, aim);
    if (arrival === 'done') confirmed += 1;
    else if (arrival === 'waiting' || arrival === 'fetching' || arrival === 'away') missing.push(id);
  }
  return { confirmed, missing, touched: confirmed + missing.length };
}

function toFailure({ now }: RolloutFacts, rollout: Rollout, failing: Failing): RolloutFailure {
  const { kind, gate, nodes, text } = failing;
  const [node] = nodes;
  return {
    kind,
    ...(gate === undefined ? {} : { gate }),
    ...(node === undefined ? {} : { node }),
    nodes: nodes.slice(0, SHOWN),
    count: failing.count ?? nodes.length,
    text,
    at: now,
    step: rollout.step,
    baking: rollout.phase === 'Baking' || rollout.pausedFrom === 'Baking',
  };
}

/** Nodes that a superseded rollout had moved go back as well. */
function withLeftBehind(
  facts: RolloutFacts,
  nodes: RolloutNodes,
  assignment: Assignment | undefined,
): RolloutNodes {
  const { moved = [] } = assignment ?? {};
  const left = moved.flatMap(entry =>
    idsOf(facts, entry)
      .filter(id => nodes.movedAt[id] === undefined)
      .map(id => [id, { at: entry.since, step: -1 }] as const),
  );
  if (left.length === 0) return nodes;
  return { ...nodes, movedAt: { ...Object.fromEntries(left), ...nodes.movedAt } };
}

/** Of an entry for everyone, the nodes that it is about. */
function idsOf(facts: RolloutFacts, entry: Moved): readonly string[] {
  if (entry.nodes !== 'everyone') return entry.nodes;
  return [...facts.fleet]
    .filter(([id, node]) => holds(entry, id) && runsOn(facts, entry.side, node))
    .map(([id]) => id);
}

function emptyMoved(assignment: Assignment | undefined, now: number): Assignment | undefined {
  if (assignment === undefined || assignment.moved.length === 0) return assignment;
  return { ...assignment, moved: [], since: now };
}

function endStep(step: RolloutStep, now: number): RolloutStep {
  return step.state === 'active' ? { ...step, state: 'failed', endedAt: now } : step;
}
