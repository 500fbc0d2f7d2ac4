import type { Assignment, Side } from '../model/assignment.ts';
import { toCountText, toEstimateText } from '../model/quantity-text.ts';
import type { Rollout } from '../model/rollout.ts';
import { sameOrder } from '../model/rollout-moves.ts';
import { estimateMs, planSteps } from '../model/rollout-plan.ts';
import type { FleetNode } from './fleet-node.ts';
import { findUnproven } from './live-at-once.ts';
import { newAssignment, type Plan, toStrategy } from './new-rollout.ts';
import { runsOn, targetTest } from './node-arrival.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { nameOf, toRunsText } from './rollout-text.ts';
import { type Turn, withRollout } from './rollout-turn.ts';
import { enterStep } from './step-rollout.ts';

/** All nodes that a rollout to this side would change. */
export function findTargets(
  facts: RolloutFacts,
  { assignment }: RolloutRecords,
  to: Side,
): readonly FleetNode[] {
  const targets: FleetNode[] = [];
  const isTarget = targetTest(facts, assignment, to);
  for (const node of facts.fleet.values()) if (isTarget(node)) targets.push(node);
  return targets;
}

/**
 * Begins: fixes the targets and their order, and enters the first step. `rollout` is a new one, or one that waited
 * for its module. Where no target is connected there is nothing to learn from steps: the side is the base at once.
 */
export function start(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  plan: Plan,
  targets: readonly FleetNode[],
): RolloutRecords {
  const { facts } = turn;
  const { now } = facts;
  const assignment = records.assignment ?? newAssignment(facts);
  const strategy = toStrategy(plan.strategy, targets.length);
  const { order: ranked, steps } = planSteps(
    strategy,
    rollout.id,
    targets.map(({ presence }) => presence),
  );
  const begun: Rollout = {
    ...rollout,
    kind: plan.kind,
    // What no node has taken yet is not what to go back to.
    from: findUnproven(records)?.from ?? assignment.base,
    to: plan.to,
    phase: 'Progressing',
    strategy,
    since: now,
    startedAt: rollout.to === null && rollout.phase === 'Validating' ? rollout.startedAt : now,
    targets: targets.length,
    steps,
  };
  const order = sameOrder(ranked, records.nodes?.order);
  const nodes = { rollout: rollout.id, order, before: {}, moves: [] };
  const rollouts = [...records.rollouts.filter(({ number }) => number !== rollout.number), begun];
  // What somebody wants gone in haste is not proven any more from here on: who begins now, or is left out, gets what
  // it goes back to. `goBack` restores it.
  const proven = plan.strategy.inHaste === true ? { ...assignment, base: plan.to, since: now } : assignment;
  const next = { ...records, assignment: proven, rollouts, nodes };
  if (!targets.some(({ presence }) => presence.connected))
    return concernsExcluded(facts, assignment, plan.to)
      ? bakeAtOnce(turn, next, begun, proven)
      : settleAtOnce(turn, next, begun, assignment);
  const first = steps.findIndex(({ state }) => state !== 'skipped');
  turn.tell('rollout.started', `${nameOf(begun)} started by ${begun.by}: ${toPlanText(begun)}`);
  return enterStep(turn, next, begun, first);
}

/** What is live is what excluded nodes run: they are not to be the first ones. */
function concernsExcluded(facts: RolloutFacts, { base }: Assignment, to: Side): boolean {
  return [...facts.excluded].some(id => {
    const node = facts.fleet.get(id);
    return node?.presence.connected === true && (runsOn(facts, to, node) || runsOn(facts, base, node));
  });
}

/** Nobody is there to take it but nodes that are left out: whoever joins gets it, and it is watched before it is live. */
function bakeAtOnce(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  assignment: Assignment,
): RolloutRecords {
  const { now } = turn.facts;
  const { id, to, strategy } = rollout;
  if (to === null) return records;
  turn.tell(
    'rollout.baking',
    `${nameOf(rollout)}: no connected node is to change but excluded ones; nodes that join get it`,
  );
  const moved = [...assignment.moved, { rollout: id, side: to, nodes: 'everyone', since: now } as const];
  const steps = rollout.steps.map(step => ({ ...step, state: 'skipped' }) as const);
  const baking: Rollout = {
    ...rollout,
    phase: 'Baking',
    steps,
    step: steps.length - 1,
    stage: 'Baking',
    timer: { leftMs: strategy.bakeMs, at: now },
  };
  return withRollout({ ...records, assignment: { ...assignment, moved } }, baking);
}

function settleAtOnce(
  turn: Turn,
  records: RolloutRecords,
  rollout: Rollout,
  assignment: Assignment,
): RolloutRecords {
  const { now } = turn.facts;
  const { to, plugin, targets } = rollout;
  if (to === null) return records;
  const who =
    targets === 0
      ? 'no connected node is to change'
      : `${toCountText(targets, 'node')} to change, none of them connected`;
  const why = `${who}: live at once; nodes that connect ${toRunsText(to, plugin)}`;
  turn.tell('rollout.succeeded', `${nameOf(rollout)} Succeeded: ${why}`);
  const done: Rollout = {
    ...rollout,
    phase: 'Succeeded',
    reason: 'NoNodes',
    why,
    endedAt: now,
    steps: [],
    stage: null,
    timer: null,
  };
  return { ...withRollout(records, done), assignment: { ...assignment, base: to, moved: [], since: now } };
}

/** `300 nodes, preset standard, about 22 min with the bake` */
function toPlanText({ targets, strategy, steps }: Rollout): string {
  const preset = strategy.preset === null ? '' : `preset ${strategy.preset}, `;
  const expected = toEstimateText(estimateMs(steps, strategy.bakeMs));
  return `${toCountText(targets, 'node')}, ${preset}about ${expected} with the bake`;
}
