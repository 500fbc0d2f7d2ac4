import type { Moved } from '../model/assignment.ts';
import { isFine } from '../model/node-health.ts';
import { toNamesText } from '../model/quantity-text.ts';
import type { Rollout } from '../model/rollout.ts';
import { movedBy } from '../model/rollout-moves.ts';
import { type Failing, fail } from './go-back.ts';
import { attribute, type Suspect } from './judge-attribution.ts';
import { lookedAt, pause } from './pause-rollout.ts';
import { findUnnamedRefusals } from './refusals.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { toFirstText } from './rollout-text.ts';
import type { Turn } from './rollout-turn.ts';

/** A soft gate fails by samples of this time, about. */
const SAMPLED_MS = 60_000;

/** Envoy refused something of a place and named nobody. */
export function judgeUnnamed(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  entry: Moved,
): RolloutRecords {
  const { facts } = turn;
  // Those from before a person resumed it were looked at, and of those from before it was paused nobody can tell.
  const isTorn = rollout.phase === 'Paused' && rollout.reason === 'Unattributed';
  const since = Math.max(entry.since, lookedAt(rollout), isTorn ? rollout.since : 0);
  const refusals = findUnnamedRefusals(facts, entry, since).filter(
    ({ node, at }) => at >= tellsSince(facts, node),
  );
  const [first] = refusals;
  if (first === undefined) return records;
  const nodes = refusals.map(({ node }) => node);
  const failing: Failing = {
    kind: 'refusal',
    reason: 'Refused',
    nodes,
    text: first.text,
    why: `${toFirstText(nodes)} refused it: ${JSON.stringify(first.text)}`,
    at: first.at,
    quarantine: { cause: 'refused', text: `was refused by ${toNamesText(nodes, 1)}` },
  };
  return blame(turn, records, rollout, failing, id => isTaken(facts, id));
}

/**
 * What was seen of a node before this time may have been the doing of a rollout that went back since, or is on its way
 * (Infinity). Where it was not it is seen again: what goes back leaves every node with other content. 0: there is none.
 */
export function tellsSince(facts: RolloutFacts, node: string): number {
  const times = facts.suspects().map(({ moved, backAt = 0 }) => (moved.has(node) ? backAt : 0));
  return Math.max(0, ...times);
}

/** Goes back where this rollout is at fault, pauses where it may be, and goes on where another one is. */
export function blame(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  failing: Failing,
  isFineNow: (node: string) => boolean,
): RolloutRecords {
  const { facts } = turn;
  const own: Suspect = { rollout: rollout.id, moved: new Set(movedBy(records.nodes).keys()) };
  // Samples of a soft gate reach back.
  const gone = failing.kind === 'gate' ? facts.now - SAMPLED_MS : Number.POSITIVE_INFINITY;
  const suspects = facts.suspects().filter(({ backAt }) => backAt === undefined || backAt > gone);
  const { blamed, unattributed } = attribute(failing.nodes, [own, ...suspects], isFineNow);
  if (blamed.includes(rollout.id)) return fail(turn, records, rollout, failing);
  if (!unattributed.includes(rollout.id)) return records;
  if (rollout.phase === 'Paused' && rollout.reason === 'Unattributed') return records;
  const others = unattributed.filter(id => id !== rollout.id);
  const isGone = suspects.some(({ rollout: id, backAt }) => backAt !== undefined && others.includes(id));
  const which = `${others.join(', ')}${isGone ? ', of which some went back' : ': all of them are paused'}`;
  const why = `${failing.why}. It may be due to this rollout or to ${which}`;
  return pause(turn, records, rollout, { reason: 'Unattributed', why });
}

/** It has served well since the newest of the rollouts that moved it did so. */
export function seemsFine(facts: RolloutFacts, { nodes }: RolloutRecords, id: string): boolean {
  const times = facts.suspects().map(({ movedAt }) => movedAt.get(id) ?? 0);
  return isFine(facts.metrics(id), Math.max(movedBy(nodes).get(id)?.at ?? 0, ...times), facts.now);
}

/** What the node was sent last it took, in every place. */
function isTaken({ fleet }: RolloutFacts, id: string): boolean {
  const node = fleet.get(id);
  if (node === undefined || !node.presence.connected) return false;
  const { process, slots } = node.presence;
  const live = node.verdicts.filter(verdict => verdict.process === process && slots.includes(verdict.slot));
  return live.length > 0 && live.every(({ state }) => state === 'accepted');
}
