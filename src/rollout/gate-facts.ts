import type { Rollout } from '../model/rollout.ts';
import { movedBy } from '../model/rollout-moves.ts';
import { tellsSince } from './blame-rollout.ts';
import type { GateFacts, GateRefusal, GateWatch, MovedNode } from './judge-gates.ts';
import { policyInForce } from './judge-gates.ts';
import { lookedAt } from './pause-rollout.ts';
import type { Roll } from './roll.ts';
import { leftMs } from './rollout-clock.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { toAimText } from './rollout-text.ts';
import type { Turn } from './rollout-turn.ts';

/**
 * What the gates of a rollout are judged by. Hard gates, which are judged at every decision, look at few nodes; who
 * all the others are is found when a soft gate asks for them, which is rare.
 */
export function toGateFacts(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  refusals: readonly GateRefusal[],
): GateFacts {
  const { facts } = turn;
  const roll = facts.rollCall.of(turn, records);
  let moved: readonly MovedNode[] | undefined;
  let others: GateFacts['others'] | undefined;
  return {
    plugin: facts.plugin,
    aim: toAimText(rollout),
    gates: rollout.strategy.gates,
    reports: rollout.gates,
    refusals,
    get moved() {
      moved ??= toMoved(turn, records, rollout, roll, roll.moved.keys());
      return moved;
    },
    ailing: toMoved(turn, records, rollout, roll, findAiling(roll)).map(node => ({
      ...node,
      tellsSince: tellsSince(facts, node.id),
    })),
    get others() {
      others ??= findOthers(facts, records);
      return others;
    },
    watch: rollout.phase === 'Paused' ? null : findWatch(turn, records, rollout),
    now: facts.now,
  };
}

/** In the order in which they were moved. */
function findAiling({ ailing, moved }: Roll): Iterable<string> {
  return ailing.size === 0 ? [] : [...moved.keys()].filter(id => ailing.has(id));
}

/** Of connected targets that were not moved yet. */
function findOthers(facts: RolloutFacts, { nodes }: RolloutRecords): GateFacts['others'] {
  const { order = [] } = nodes ?? {};
  const moved = movedBy(nodes);
  return order
    .flat()
    .filter(id => !moved.has(id) && !facts.excluded.has(id) && facts.fleet.get(id)?.presence.connected)
    .map(id => facts.metrics(id));
}

/** Those that are connected and have taken it. */
function toMoved(
  { facts }: Turn,
  { nodes }: RolloutRecords,
  rollout: Rollout,
  roll: Roll,
  ids: Iterable<string>,
): readonly MovedNode[] {
  const { to, from, failure } = rollout;
  if (to === null) return [];
  const revision = to.revision ?? from.revision;
  const strategy = (revision === null ? undefined : facts.revisions.get(revision))?.config.failStrategy;
  const moved: MovedNode[] = [];
  for (const id of ids) {
    const node = facts.fleet.get(id);
    const move = roll.moved.get(id);
    if (node === undefined || move === undefined || roll.standingOf(id)?.arrival !== 'done') continue;
    moved.push({
      id,
      at: failure === undefined ? move.at : Math.max(move.at, lookedAt(rollout)),
      before: nodes?.before[id],
      metrics: facts.metrics(id),
      policy: policyInForce(strategy, node.presence.node.capabilities.failReload),
    });
  }
  return moved;
}

function findWatch(turn: Turn, records: RolloutRecords, rollout: Rollout): GateWatch | null {
  const { stage, strategy, steps, step, startedAt } = rollout;
  const active = steps[step];
  if (stage === 'Baking')
    return {
      since: active?.endedAt ?? startedAt,
      totalMs: strategy.bakeMs,
      leftMs: leftMs(turn, rollout, records),
      baking: true,
    };
  if (stage !== 'Soaking' || active === undefined) return null;
  return {
    since: (active.startedAt ?? startedAt) + (active.appliedMs ?? 0),
    totalMs: active.soakMs,
    leftMs: leftMs(turn, rollout, records),
    baking: false,
  };
}
