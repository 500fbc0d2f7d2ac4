import { toDurationText, toTimerText } from '../model/quantity-text.ts';
import type { RolloutStep } from '../model/rollout.ts';
import { describeSize } from '../model/rollout-plan.ts';
import { countTargets } from './rollout-counts.ts';
import type { RolloutFacts } from './rollout-facts.ts';
import { leftOf } from './rollout-timer.ts';
import { toTime } from './schema/metadata.ts';
import type { RolloutStepView, RolloutView } from './schema/rollout-view.ts';
import { groupStepNodes } from './step-nodes.ts';

/** The steps of a rollout with their nodes, in order. */
export function toStepViews(facts: RolloutFacts, withNodes: boolean): RolloutStepView[] {
  const { steps } = facts.rollout;
  const targets = countTargets(facts);
  return steps.map((step, index) => ({
    number: index + 1,
    wave: step.wave,
    asked: `${describeSize(step.asked)} asked`,
    reaches: countTargets(facts, step.reaches, index),
    of: targets,
    state: step.state,
    ...toWords(facts, step, index),
    soakMs: step.soakMs,
    pause: step.pause,
    startedAt: step.startedAt === undefined ? null : toTime(step.startedAt),
    appliedMs: step.appliedMs ?? null,
    endedAt: step.endedAt === undefined ? null : toTime(step.endedAt),
    nodes: withNodes ? groupStepNodes(facts, index) : [],
  }));
}

function toWords(facts: RolloutFacts, step: RolloutStep, index: number): { word: string; text: string } {
  const { rollout, fleet, active } = facts;
  const { startedAt, endedAt, appliedMs } = step;
  const took = startedAt === undefined ? undefined : (endedAt ?? fleet.now) - startedAt;
  switch (step.state) {
    case 'waiting':
      return { word: active ? 'waiting' : 'not started', text: '' };
    case 'skipped': {
      const before = rollout.steps[index - 1]?.reaches ?? 0;
      return { word: 'skipped', text: step.reaches === before ? 'adds no node' : 'promoted' };
    }
    case 'failed': {
      const failedAt = rollout.failure?.step === index ? rollout.failure.at : endedAt;
      const after = startedAt === undefined || failedAt === undefined ? undefined : failedAt - startedAt;
      return {
        word: rollout.failure?.kind === 'abort' ? 'stopped' : 'FAILED',
        text: after === undefined ? '' : `after ${toDurationText(after)}`,
      };
    }
    case 'passed': {
      const last = index === rollout.steps.length - 1;
      const ms = last ? (appliedMs ?? took) : took;
      return { word: last ? 'done' : 'passed', text: ms === undefined ? '' : toDurationText(ms) };
    }
    case 'active':
      return toActiveWords(facts, step, took);
    default:
      return step.state satisfies never;
  }
}

function toActiveWords(
  facts: RolloutFacts,
  step: RolloutStep,
  took: number | undefined,
): { word: string; text: string } {
  const { rollout, active } = facts;
  const { phase, stage } = rollout;
  const ran = took === undefined ? '' : toDurationText(took);
  if (!active) return { word: 'stopped', text: ran === '' ? '' : `after ${ran}` };
  const left = leftOf(facts);
  const soaked = stage === 'Soaking' && left !== undefined ? toSoakText(step.soakMs, left) : '';
  if (phase === 'Paused') return { word: 'paused', text: soaked };
  switch (stage) {
    case 'Soaking':
      return { word: 'soaking', text: soaked };
    case 'Waiting':
      return toWaitingWords(step, left);
    case 'Returning':
      return { word: 'stopped', text: ran === '' ? '' : `after ${ran}` };
    case 'Applying':
    case 'Baking':
    case null:
      return { word: 'applying', text: ran };
    default:
      return stage satisfies never;
  }
}

function toWaitingWords({ pause }: RolloutStep, left: number | undefined): { word: string; text: string } {
  if (pause === 'human') return { word: 'waits for a person', text: '' };
  if (pause === null || left === undefined) return { word: 'waiting', text: '' };
  return { word: 'waiting', text: toSoakText(pause, left) };
}

/** `0:12 of 0:30` */
function toSoakText(totalMs: number, leftMs: number): string {
  return `${toTimerText(totalMs - leftMs)} of ${toTimerText(totalMs)}`;
}

/** The watch at 100 %. */
export function toBakeView(facts: RolloutFacts): RolloutView['bake'] {
  const { rollout, active } = facts;
  const { strategy, phase, stage, pausedFrom, failure, reason } = rollout;
  const totalMs = strategy.bakeMs;
  if (totalMs === 0) return null;
  const baking =
    phase === 'Baking' || (phase === 'Paused' && (pausedFrom === 'Baking' || stage === 'Baking'));
  if (baking) return { state: 'active', totalMs, elapsedMs: totalMs - (leftOf(facts) ?? totalMs) };
  if (failure?.baking === true) {
    const since = rollout.steps.at(-1)?.endedAt ?? failure.at;
    return { state: 'failed', totalMs, elapsedMs: Math.min(totalMs, Math.max(0, failure.at - since)) };
  }
  if (phase === 'Succeeded' || phase === 'Reverted') {
    const none = reason === 'NoNodes' || rollout.steps.length === 0;
    return { state: none ? 'skipped' : 'passed', totalMs, elapsedMs: none ? 0 : totalMs };
  }
  return { state: active && phase !== 'RollingBack' ? 'waiting' : 'skipped', totalMs, elapsedMs: 0 };
}
