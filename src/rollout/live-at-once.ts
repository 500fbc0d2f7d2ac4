import type { Moved } from '../model/assignment.ts';
import { toNamesText } from '../model/quantity-text.ts';
import type { Rollout } from '../model/rollout.ts';
import { goBack } from './go-back.ts';
import { arrivalOf, runsOn } from './node-arrival.ts';
import { findRefusals } from './refusals.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { nameOf, toAimText, toFirstText } from './rollout-text.ts';
import { latestOf, type Rule, type Turn, without, withRollout } from './rollout-turn.ts';

/** Live without any node having tried it: nobody was connected. */
export function isUnproven({ phase, reason, from, to }: Rollout): boolean {
  if (phase !== 'Succeeded' || reason !== 'NoNodes') return false;
  return to !== null && to.revision !== null && to.revision !== from.revision;
}

/**
 * What became live while nobody was connected is proven by the first node that takes it. One that refuses it before
 * that takes it back: what was there before was proven.
 */
export const watchUnproven: Rule = (turn, records) => {
  const rollout = latestOf(records);
  if (rollout === undefined || !isUnproven(rollout)) return records;
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
  const before = { ...assignment, base: rollout.from, moved: [entry] };
  const { endedAt: _endedAt, ...again } = rollout;
  return goBack(turn, withRollout({ ...records, assignment: before }, again), again, {
    kind: 'refusal',
    reason: 'Refused',
    nodes,
    text,
    why: `${toFirstText(nodes)} refused ${toAimText(rollout)}: ${JSON.stringify(text)}`,
    quarantine: { cause: 'refused', text: `was refused by ${toNamesText(nodes, 1)}` },
  });
}
