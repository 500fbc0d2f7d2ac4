import { isSameAim, type Moved } from '../model/assignment.ts';
import { toNamesText } from '../model/quantity-text.ts';
import type { Rollout } from '../model/rollout.ts';
import { type Failing, goBack, toFailure } from './go-back.ts';
import { holdBack } from './hold-back.ts';
import { arrivalOf, runsOn } from './node-arrival.ts';
import { findRefusals } from './refusals.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { nameOf, toAimText, toFirstText } from './rollout-text.ts';
import { latestOf, type Rule, type Turn, without, withRollout } from './rollout-turn.ts';

/** Live without any node having tried it: nobody was connected. */
function isUnproven({ phase, reason, from, to }: Rollout): boolean {
  if (phase !== 'Succeeded' || reason !== 'NoNodes') return false;
  return to !== null && to.revision !== null && to.revision !== from.revision;
}

/** The rollout by which what no node has tried yet is the base; undefined: the base is proven. */
export function findUnproven({ assignment, rollouts }: RolloutRecords): Rollout | undefined {
  const last = rollouts.findLast(({ phase }) => phase === 'Succeeded');
  if (last === undefined || assignment === undefined || last.to === null || !isUnproven(last))
    return undefined;
  return isSameAim(last.to, assignment.base) ? last : undefined;
}

/**
 * What became live while nobody was connected is proven by the first node that takes it. One that refuses it before
 * that takes it back: what was there before was proven. Documents whose module never came may have been applied since.
 */
export const watchUnproven: Rule = (turn, records) => {
  const rollout = findUnproven(records);
  if (rollout === undefined) return records;
  const { to, id, endedAt = rollout.since } = rollout;
  if (to === null || records.assignment === undefined) return records;
  const entry: Moved = { rollout: id, side: to, nodes: 'everyone', since: endedAt };
  const taker = findTaker(turn.facts, entry);
  if (taker !== undefined) {
    turn.tell('rollout.proven', `${nameOf(rollout)}: ${taker} is the first node that runs it`, taker);
    return withRollout(records, without(rollout, 'reason'));
  }
  const refusals = findRefusals(turn.facts, entry, endedAt);
  if (refusals.length === 0) return records;
  return takeBack(turn, records, rollout, entry, refusals);
};

/** That a node has it is never a matter of time. */
const NEVER = (): void => {};

/** Of nodes that did not have it when they were looked at last, only those that changed are looked at. */
function findTaker(facts: RolloutFacts, { side, since }: Moved): string | undefined {
  const { fleet, rollCall, spec, revisions } = facts;
  const aim = { side, since, recompiled: false, alike: undefined };
  const config = side.revision === null ? undefined : revisions.get(side.revision)?.config;
  const purpose = [spec?.value, side, since, config];
  for (const id of rollCall.toProve.list(purpose) ?? fleet.keys()) {
    const node = fleet.get(id);
    if (
      node !== undefined &&
      runsOn(facts, side, node) &&
      arrivalOf({ facts, wake: NEVER }, id, aim) === 'done'
    )
      return id;
  }
  rollCall.toProve.seen(purpose);
  return undefined;
}

function takeBack(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  entry: Moved,
  refusals: ReturnType<typeof findRefusals>,
): RolloutRecords {
  const { assignment } = records;
  if (assignment === undefined) return records;
  const nodes = refusals.map(({ node }) => node);
  const text = refusals[0]?.text ?? '';
  const failing: Failing = {
    kind: 'refusal',
    reason: 'Refused',
    nodes,
    text,
    why: `${toFirstText(nodes)} refused ${toAimText(rollout)}: ${JSON.stringify(text)}`,
    quarantine: { cause: 'refused', text: `was refused by ${toNamesText(nodes, 1)}` },
  };
  if (rollout !== latestOf(records)) return dropAtOnce(turn, records, rollout, failing);
  const before = { ...assignment, base: rollout.from, moved: [entry] };
  const { endedAt: _endedAt, ...again } = rollout;
  return goBack(turn, withRollout({ ...records, assignment: before }, again), again, failing);
}

/** Only the newest rollout goes back and is watched; nobody runs what this one brought. */
function dropAtOnce(turn: Turn, records: RolloutRecords, rollout: Rollout, failing: Failing): RolloutRecords {
  const { assignment } = records;
  const { now } = turn.facts;
  if (assignment === undefined) return records;
  turn.tell('rollout.rolled-back', `${nameOf(rollout)} RolledBack: ${failing.why}`, failing.nodes[0]);
  const dropped: Rollout = {
    ...rollout,
    phase: 'RolledBack',
    reason: failing.reason,
    why: failing.why,
    since: now,
    failure: toFailure(turn.facts, rollout, failing),
    back: { touched: 0, confirmed: 0, startedAt: now, missing: [], tookMs: 0 },
  };
  const next = { ...records, assignment: { ...assignment, base: rollout.from, since: now } };
  const cause = failing.quarantine && { rollout: rollout.id, ...failing.quarantine };
  return holdBack(turn.facts, withRollout(next, dropped), rollout, cause);
}
