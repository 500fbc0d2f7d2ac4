import type { Rollout } from '../model/rollout.ts';
import type { GateFacts, GateRefusal, GateWatch, MovedNode } from './judge-gates.ts';
import { policyInForce } from './judge-gates.ts';
import { aimOf, arrivalOf } from './node-arrival.ts';
import { lookedAt } from './pause-rollout.ts';
import { leftMs } from './rollout-clock.ts';
import type { RolloutRecords } from './rollout-facts.ts';
import { toAimText } from './rollout-text.ts';
import type { Turn } from './rollout-turn.ts';

/** What the gates of a rollout are judged by. */
export function toGateFacts(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  refusals: readonly GateRefusal[],
): GateFacts {
  const { facts } = turn;
  const { nodes } = records;
  const movedAt = nodes?.movedAt ?? {};
  const others = (nodes?.order.flat() ?? []).filter(
    id => movedAt[id] === undefined && !facts.excluded.has(id) && facts.fleet.get(id)?.presence.connected,
  );
  return {
    plugin: facts.plugin,
    aim: toAimText(rollout),
    gates: rollout.strategy.gates,
    reports: rollout.gates,
    refusals,
    moved: findArrived(turn, records, rollout),
    others: others.map(id => facts.metrics(id)),
    watch: rollout.phase === 'Paused' ? null : findWatch(turn, records, rollout),
    now: facts.now,
  };
}

/** Connected nodes that this rollout moved and that have taken it. */
function findArrived(turn: Turn, { nodes }: RolloutRecords, rollout: Rollout): readonly MovedNode[] {
  const { facts } = turn;
  const { to, failure } = rollout;
  if (to === null || nodes === undefined) return [];
  const revision = to.revision ?? rollout.from.revision;
  const strategy = (revision === null ? undefined : facts.revisions.get(revision))?.config.failStrategy;
  return Object.entries(nodes.movedAt).flatMap(([id, { at }]) => {
    const node = facts.fleet.get(id);
    if (node === undefined || arrivalOf(turn, id, aimOf(rollout, to, nodes, id)) !== 'done') return [];
    return [
      {
        id,
        at: failure === undefined ? at : Math.max(at, lookedAt(facts, rollout)),
        before: nodes.before[id],
        metrics: facts.metrics(id),
        policy: policyInForce(strategy, node.presence.node.capabilities.failReload),
      },
    ];
  });
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
