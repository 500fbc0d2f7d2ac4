import type { Assignment, Side } from '../model/assignment.ts';
import type { JsonObject } from '../model/plugin-spec.ts';
import { resolveStrategy } from '../model/resolve-strategy.ts';
import { type Rollout, type RolloutKind, type RolloutPhase, toRolloutId } from '../model/rollout.ts';
import type { Strategy } from '../model/rollout-strategy.ts';
import type { RolloutFacts, RolloutRecords } from './rollout-facts.ts';
import { latestOf, type Turn } from './rollout-turn.ts';
import { baseOf, nowhere } from './sides.ts';

/** Who acts where nobody said who. */
export const SOMEBODY = 'admin';

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

/** Of a plugin that no node runs yet. */
export function newAssignment({ plugin, spec, now, format }: RolloutFacts): Assignment {
  const createdAt = spec?.value.createdAt ?? now;
  return { plugin, createdAt, base: nowhere(format), moved: [], since: now };
}

/** With what its document leaves open filled in. */
export function toStrategy({ document, preset, inHaste }: StrategyChoice, targets: number): Strategy {
  const strategy = resolveStrategy(document, { targets, ...(preset === undefined ? {} : { preset }) });
  if (inHaste !== true) return strategy;
  return { ...strategy, bakeMs: 0, gates: strategy.gates.filter(({ hard }) => hard), onFailure: 'rollback' };
}
