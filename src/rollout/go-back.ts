import { type Assignment, holds, isSameAim, type Moved } from '../model/assignment.ts';
import type { Rollout, RolloutFailure, RolloutNodes, RolloutReason, RolloutStep } from '../model/rollout.ts';
import { movedBy } from '../model/rollout-moves.ts';
import { type Cause, holdBack, liftUndone } from './hold-back.ts';
import { stopMoving } from './moved-entries.ts';
import { runsOn } from './node-arrival.ts';
import { toPaused } from './pause-rollout.ts';
import { BACK_MS } from './return-nodes.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { nameOf } from './rollout-text.ts';
import { type Turn, without, withRollout } from './rollout-turn.ts';

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
  /** When it happened, ms; absent: it was found out now. */
  readonly at?: number;
  /** undefined: the content may be tried again by itself. */
  readonly quarantine?: Omit<Cause, 'rollout'>;
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
  const isUndo = rollout.kind === 'undo';
  const { quarantine } = failing;
  const lifted = isUndo ? liftUndone(facts, records, rollout) : records;
  const back: Rollout = {
    ...without(rollout, 'pausedFrom'),
    phase: 'RollingBack',
    reason: failing.reason,
    why: failing.why,
    since: now,
    stage: 'Returning',
    timer: { leftMs: BACK_MS, at: now },
    steps: rollout.steps.map((step, index) => (index === rollout.step ? endStep(step, now) : step)),
    failure: toFailure(facts, rollout, failing),
    back: { touched: 0, confirmed: 0, startedAt: now, missing: [] },
  };
  turn.tell('rollout.rolling-back', `${nameOf(rollout)} goes back: ${failing.why}`, failing.nodes[0]);
  const next = {
    ...withRollout(lifted, back),
    nodes: records.nodes && withLeftBehind(facts, records.nodes, records.assignment),
    assignment: emptyMoved(withProven(lifted.assignment, rollout), now),
  };
  // Whoever takes an undo back has nothing against where it led.
  const isTrusted = quarantine === undefined || (isUndo && failing.kind === 'abort');
  return holdBack(facts, next, rollout, isTrusted ? undefined : { rollout: rollout.id, ...quarantine });
}

export function toFailure({ now }: RolloutFacts, rollout: Rollout, failing: Failing): RolloutFailure {
  const { kind, gate, nodes, text } = failing;
  const [node] = nodes;
  return {
    kind,
    ...(gate === undefined ? {} : { gate }),
    ...(node === undefined ? {} : { node }),
    nodes: nodes.slice(0, SHOWN),
    count: failing.count ?? nodes.length,
    text,
    at: failing.at ?? now,
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
  const known = movedBy(nodes);
  const left = moved
    .map(entry => ({ at: entry.since, step: -1, nodes: idsOf(facts, entry).filter(id => !known.has(id)) }))
    .filter(move => move.nodes.length > 0);
  return left.length === 0 ? nodes : { ...nodes, moves: [...left, ...nodes.moves] };
}

/** Of an entry for everyone, the nodes that it is about. */
function idsOf(facts: RolloutFacts, entry: Moved): readonly string[] {
  if (entry.nodes !== 'everyone') return entry.nodes;
  return [...facts.fleet]
    .filter(([id, node]) => holds(entry, id) && runsOn(facts, entry.side, node))
    .map(([id]) => id);
}

/** An undo in haste had taken what it undid for not proven any more, and what was the base may never have been. */
function withProven(assignment: Assignment | undefined, { from }: Rollout): Assignment | undefined {
  if (assignment === undefined || isSameAim(assignment.base, from)) return assignment;
  return { ...assignment, base: from };
}

function emptyMoved(assignment: Assignment | undefined, now: number): Assignment | undefined {
  if (assignment === undefined || assignment.moved.length === 0) return assignment;
  return { ...assignment, moved: [], since: now };
}

function endStep(step: RolloutStep, now: number): RolloutStep {
  return step.state === 'active' ? { ...step, state: 'failed', endedAt: now } : step;
}
