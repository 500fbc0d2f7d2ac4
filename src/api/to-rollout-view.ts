import type { Side } from '../model/assignment.ts';
import type { Revision } from '../model/revision.ts';
import { estimateMs } from '../model/rollout-plan.ts';
import { toGateView } from './gate-view.ts';
import { countRollout } from './rollout-counts.ts';
import type { RolloutFacts } from './rollout-facts.ts';
import { toActions, toCauseLines, toNext, toNotes } from './rollout-next.ts';
import { findOutside } from './rollout-outside.ts';
import { leftOf, toTimerView } from './rollout-timer.ts';
import { toBackText, toOutcome, toPlanText, toTitle, toWhy } from './rollout-words.ts';
import { toTime } from './schema/metadata.ts';
import type { RolloutSide, RolloutView } from './schema/rollout-view.ts';
import { toBakeView, toStepViews } from './step-view.ts';

/** A rollout as an answer; `withNodes` false: as lists show it. */
export function toRolloutView(facts: RolloutFacts, withNodes = true): RolloutView {
  const { rollout, active, fleet } = facts;
  const { id, plugin, number, kind, from, to, strategy, by, note, phase, step } = rollout;
  return {
    kind: 'Rollout',
    id,
    plugin,
    number,
    change: kind,
    title: toTitle(rollout),
    from: toSideView(from, facts.from),
    to: to === null ? null : toSideView(to, facts.to),
    preset: strategy.preset,
    plan: toPlanText(facts),
    by,
    message: note ?? null,
    phase,
    reason: rollout.reason ?? null,
    active,
    waitsForPerson: phase === 'Paused',
    why: toWhy(facts),
    hint: rollout.hint ?? null,
    code: rollout.code ?? null,
    outcome: toOutcome(facts),
    since: toTime(rollout.since),
    startedAt: toTime(rollout.startedAt),
    endedAt: rollout.endedAt === undefined ? null : toTime(rollout.endedAt),
    asOf: toTime(fleet.now),
    step: step < 0 ? null : step + 1,
    steps: toStepViews(facts, withNodes),
    bake: toBakeView(facts),
    timer: toTimerView(facts),
    expectedMs: toExpectedMs(facts),
    gates: rollout.gates.map(toGateView),
    counts: countRollout(facts),
    outside: withNodes ? findOutside(facts) : [],
    failure: toFailureView(facts),
    back: toBackView(facts),
    cause: toCauseLines(facts),
    notes: toNotes(facts),
    actions: toActions(facts),
    next: toNext(facts),
  };
}

function toSideView({ revision, placement }: Side, known: Revision | undefined): RolloutSide {
  return {
    revision,
    digest: known?.module.sha256.slice(0, 12) ?? null,
    config: known?.configHash.slice(0, 6) ?? null,
    selector: placement.selector === undefined ? null : { ...placement.selector },
  };
}

/** Of what is under way the timer tells the rest; the steps to come wait and soak in full. */
function toExpectedMs(facts: RolloutFacts): number | null {
  const { rollout, active } = facts;
  const { phase, stage, steps, step, strategy } = rollout;
  if (!active || phase === 'Paused' || phase === 'RollingBack' || phase === 'Validating') return null;
  const left = leftOf(facts) ?? 0;
  if (stage === 'Baking') return left;
  const later = estimateMs(steps.slice(step + 1), strategy.bakeMs);
  const soak = steps[step]?.soakMs ?? 0;
  if (stage === 'Soaking') return left + later;
  return later + soak + (stage === 'Waiting' ? left : 0);
}

function toFailureView({ rollout: { failure } }: RolloutFacts): RolloutView['failure'] {
  if (failure === undefined) return null;
  const { kind, gate, node, nodes, count, text, at, step, baking } = failure;
  return {
    kind,
    gate: gate ?? null,
    node: node ?? null,
    nodes: [...nodes],
    count,
    text,
    at: toTime(at),
    step: baking || step < 0 ? null : step + 1,
  };
}

function toBackView(facts: RolloutFacts): RolloutView['back'] {
  const { back } = facts.rollout;
  if (back === undefined) return null;
  return {
    touched: back.touched,
    confirmed: back.confirmed,
    missing: [...back.missing],
    startedAt: toTime(back.startedAt),
    tookMs: back.tookMs ?? null,
    text: toBackText(facts),
  };
}
