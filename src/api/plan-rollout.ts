import type { NodePresence } from '../model/node.ts';
import { type PluginSpec, toPluginName } from '../model/plugin-spec.ts';
import { toCountText, toEstimateText, toNamesText, toNumberText } from '../model/quantity-text.ts';
import { resolveStrategy } from '../model/resolve-strategy.ts';
import { isActive, type RolloutStep, toRolloutId } from '../model/rollout.ts';
import { describeReach, describeSize, estimateMs, planSteps } from '../model/rollout-plan.ts';
import type { Fleet } from './fleet.ts';
import type { PlannedRollout, PlanStep } from './schema/plan-view.ts';

/** Names of nodes that an answer holds of a list, and that a text does. */
export const NAMES_KEPT = 20;
const NAMES_SHOWN = 3;

/**
 * The rollout that would move these nodes: with the number that it would get, so that its steps hold the very nodes
 * that they would hold.
 */
export function planRollout(
  fleet: Fleet,
  spec: PluginSpec,
  targets: readonly NodePresence[],
): PlannedRollout {
  const plugin = toPluginName(spec);
  const [latest] = fleet.rollouts.get(plugin) ?? [];
  const id = toRolloutId(plugin, (latest?.number ?? 0) + 1);
  const preset = spec.deleted?.now === true ? 'all-at-once' : spec.preset;
  const strategy = resolveStrategy(spec.rollout, {
    targets: targets.length,
    ...(preset === undefined ? {} : { preset }),
  });
  const connected = targets.filter(node => node.connected).length;
  const { order, steps } = planSteps(strategy, id, targets);
  // Where nobody is there to learn from, it is live at once.
  const planned = connected === 0 ? [] : toPlanSteps(steps, order.flat());
  const bakeMs = connected === 0 ? 0 : strategy.bakeMs;
  return {
    id,
    supersedes: latest !== undefined && isActive(latest) ? latest.id : null,
    preset: strategy.preset,
    targets: targets.length,
    disconnected: targets.length - connected,
    steps: planned,
    bakeMs,
    expectedMs: connected === 0 ? 0 : estimateMs(steps, bakeMs),
    text: toText(planned, strategy.preset, bakeMs, targets.length),
  };
}

function toPlanSteps(steps: readonly RolloutStep[], ranked: readonly string[]): PlanStep[] {
  return steps.map((step, i) => {
    const nodes = ranked.slice(steps[i - 1]?.reaches ?? 0, step.reaches);
    const { wave, reaches, soakMs, pause } = step;
    return {
      number: i + 1,
      wave,
      asked: `${describeSize(step.asked)} asked`,
      reaches,
      count: nodes.length,
      nodes: nodes.slice(0, NAMES_KEPT),
      soakMs,
      pause,
      text: toStepText(step, i + 1, nodes, ranked.length),
    };
  });
}

/** `step 2   10 % asked, 30 of 300 nodes: adds edge-a-001, edge-a-002, edge-a-003 and 26 more; then 5 min soak` */
function toStepText(step: RolloutStep, number: number, nodes: readonly string[], targets: number): string {
  const head = `step ${number}   ${step.pause === null ? '' : `${toPauseText(step.pause)}; `}${describeReach(step, targets)}`;
  if (nodes.length === 0) return `${head}: adds no node`;
  const soak = step.soakMs === 0 ? '' : `; then ${toEstimateText(step.soakMs)} soak`;
  return `${head}: ${toNamesText(nodes, NAMES_SHOWN)}${soak}`;
}

function toPauseText(pause: number | 'human'): string {
  return pause === 'human' ? 'waits until a person promotes it' : `${toEstimateText(pause)} pause`;
}

/** `steps: 1 laptop; then 1 min bake`, `steps, preset standard: 1, 30, 150, 300 nodes; then 10 min bake` */
function toText(steps: readonly PlanStep[], preset: string | null, bakeMs: number, targets: number): string {
  if (targets === 0) return 'steps: no known node is to change; live at once, for nodes still to come';
  const real = steps.filter(({ count }) => count > 0);
  const [first] = real;
  if (first === undefined) return `steps: none of ${toCountText(targets, 'node')} is connected; live at once`;
  const bake = bakeMs === 0 ? '' : `; then ${toEstimateText(bakeMs)} bake`;
  if (real.length === 1)
    return `steps: ${toNumberText(targets)} ${toNamesText(first.nodes, NAMES_SHOWN, first.count)}${bake}`;
  const reaches = real.map(step => toNumberText(step.reaches)).join(', ');
  return `steps${preset === null ? '' : `, preset ${preset}`}: ${reaches} nodes${bake}`;
}
