import type { Assignment, Side } from '../model/assignment.ts';
import type { JsonObject } from '../model/plugin-spec.ts';
import { toCountText, toEstimateText } from '../model/quantity-text.ts';
import { resolveStrategy } from '../model/resolve-strategy.ts';
import { type Rollout, type RolloutKind, type RolloutPhase, toRolloutId } from '../model/rollout.ts';
import { estimateMs, type PlanNode, planSteps } from '../model/rollout-plan.ts';
import type { Strategy } from '../model/rollout-strategy.ts';
import { isTarget, runsOn } from './node-arrival.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { nameOf, toRunsText } from './rollout-text.ts';
import { latestOf, type Turn, withRollout } from './rollout-turn.ts';
import { baseOf, nowhere } from './sides.ts';
import { enterStep } from './step-rollout.ts';

/** What a rollout is to do, and who wants it. */
export interface Plan {
  readonly kind: RolloutKind;
  readonly to: Side;
  readonly by: string;
  readonly note?: string | undefined;
  readonly strategy: StrategyChoice;
  /** A number of an intent that it answers. */
  readonly intent?: number;
}

export interface StrategyChoice {
  /** `spec.rollout` */
  readonly document?: JsonObject | undefined;
  readonly preset?: string | undefined;
  /** Neither soft gates nor a bake: somebody wants it gone. */
  readonly inHaste?: boolean;
}

/** A rollout of which no more is known than that it is wanted. */
export function newRollout(
  { facts }: Turn,
  records: RolloutRecords,
  plan: Omit<Plan, 'to'> & { readonly to: Side | null },
  phase: RolloutPhase,
): Rollout {
  const { now, plugin, format, spec } = facts;
  const latest = latestOf(records);
  const number = (latest?.number ?? 0) + 1;
  const { kind, to, by, note } = plan;
  return {
    id: toRolloutId(plugin, number),
    plugin,
    number,
    kind,
    from: baseOf(records.assignment, format),
    to,
    specRevision: spec?.revision ?? 0,
    strategy: toStrategy(plan.strategy, 0),
    by,
    ...(note === undefined || note === '' ? {} : { note }),
    phase,
    since: now,
    startedAt: now,
    targets: 0,
    steps: [],
    step: -1,
    stage: null,
    timer: null,
    gates: [],
    ...toIntent(facts, latest, plan.intent),
  };
}

/** What was taken in stays taken in; before the first rollout there is nothing that an intent could be about. */
function toIntent(
  { intent }: RolloutFacts,
  latest: Rollout | undefined,
  own: number | undefined,
): Pick<Rollout, 'intent'> {
  if (own !== undefined) return { intent: { id: own, outcome: 'done' } };
  if (latest?.intent !== undefined) return { intent: latest.intent };
  return latest === undefined && intent !== undefined
    ? { intent: { id: intent.id, outcome: 'too-late' } }
    : {};
}

/** Ids of all nodes that a rollout to this side would change, with what their order rests on. */
export function findTargets(
  facts: RolloutFacts,
  { assignment }: RolloutRecords,
  to: Side,
): readonly PlanNode[] {
  return [...facts.fleet]
    .filter(([id, node]) => !facts.excluded.has(id) && isTarget(facts, assignment, node, to))
    .map(([id, { presence }]) => ({
      id,
      connected: presence.connected,
      zone: presence.node.zone,
      labels: presence.node.labels,
    }));
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
  targets: readonly PlanNode[],
): RolloutRecords {
  const { facts } = turn;
  const { now, format } = facts;
  const assignment = records.assignment ?? newAssignment(facts, format);
  const strategy = toStrategy(plan.strategy, targets.length);
  const { order, steps } = planSteps(strategy, rollout.id, targets);
  const begun: Rollout = {
    ...rollout,
    kind: plan.kind,
    from: assignment.base,
    to: plan.to,
    phase: 'Progressing',
    strategy,
    since: now,
    startedAt: rollout.to === null && rollout.phase === 'Validating' ? rollout.startedAt : now,
    targets: targets.length,
    steps,
  };
  const nodes = { rollout: rollout.id, order, before: {}, movedAt: {} };
  const rollouts = [...records.rollouts.filter(({ number }) => number !== rollout.number), begun];
  const next = { ...records, assignment, rollouts, nodes };
  if (!targets.some(({ connected }) => connected))
    return concernsExcluded(facts, assignment, plan.to)
      ? bakeAtOnce(turn, next, begun, assignment)
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

export function newAssignment({ plugin, spec, now }: RolloutFacts, format: number): Assignment {
  const createdAt = spec?.value.createdAt ?? now;
  return { plugin, createdAt, base: nowhere(format), moved: [], since: now };
}

function toStrategy({ document, preset, inHaste }: StrategyChoice, targets: number): Strategy {
  const strategy = resolveStrategy(document, { targets, ...(preset === undefined ? {} : { preset }) });
  if (inHaste !== true) return strategy;
  return { ...strategy, bakeMs: 0, gates: strategy.gates.filter(({ hard }) => hard), onFailure: 'rollback' };
}

/** `300 nodes, preset standard, about 22 min with the bake` */
function toPlanText({ targets, strategy, steps }: Rollout): string {
  const preset = strategy.preset === null ? '' : `preset ${strategy.preset}, `;
  const expected = toEstimateText(estimateMs(steps, strategy.bakeMs));
  return `${toCountText(targets, 'node')}, ${preset}about ${expected} with the bake`;
}
