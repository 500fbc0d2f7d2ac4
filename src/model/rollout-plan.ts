import type { NodeIdentity } from './node.ts';
import { sha256Hex } from './plugin-spec.ts';
import { longerPause } from './resolve-strategy.ts';
import type { RolloutStep } from './rollout.ts';
import type { Pause, StepPlan, StepSize, Strategy, Wave, WaveSelector } from './rollout-strategy.ts';
import { isSameList } from './same-list.ts';

/** What of a target decides when its turn comes. */
export interface PlanNode {
  readonly connected: boolean;
  readonly node: Pick<NodeIdentity, 'id' | 'zone' | 'labels'>;
}

export interface RolloutPlan {
  /** Node ids by wave, ranked: the first n of them all are what a step that reaches n has moved. */
  readonly order: readonly (readonly string[])[];
  /** Ends with the step that reaches every target; empty where there is none. */
  readonly steps: readonly RolloutStep[];
}

/**
 * Who is moved when. Pure: the same rollout and nodes give the same plan, whatever the order of `nodes`.
 *
 * Connected targets rank before the others, then by hash of rollout and node: a canary is never a node that is gone,
 * and different rollouts spare different nodes. Where a wave is one step nobody is spared: then by id. A step that adds no node is skipped with its soak, and its pause
 * passes on to the next one. The step that reaches every target is the last, asks 100 % and never soaks: the bake
 * follows.
 */
export function planSteps(strategy: Strategy, rolloutId: string, nodes: readonly PlanNode[]): RolloutPlan {
  const waves = splitByWave(strategy.waves, nodes);
  const order = waves.map((wave, index) => rank(rolloutId, wave, strategy.waves[index]?.steps.length === 1));
  const steps: RolloutStep[] = [];
  let reached = 0;
  let pause: Pause | null = null;
  for (const [index, wave] of strategy.waves.entries()) {
    const inWave = order[index]?.length ?? 0;
    const before = reached;
    for (const plan of wave.steps) {
      if (reached === nodes.length) return { order, steps };
      const reaches = Math.max(reached, before + countOf(plan.size, inWave));
      const last = reaches === nodes.length;
      const skipped = reaches === reached;
      pause = longerPause(pause, plan.pause);
      steps.push(toStep(wave, plan, { reaches, pause: skipped ? null : pause, last, skipped }));
      if (!skipped) pause = null;
      reached = reaches;
    }
    pause = longerPause(pause, wave.pause);
  }
  return { order, steps };
}

interface Reach {
  readonly reaches: number;
  readonly pause: Pause | null;
  readonly last: boolean;
  readonly skipped: boolean;
}

function toStep(wave: Wave, plan: StepPlan, { reaches, pause, last, skipped }: Reach): RolloutStep {
  return {
    wave: wave.name,
    asked: last ? { percent: 100 } : plan.size,
    reaches,
    soakMs: last || skipped ? 0 : plan.soakMs,
    pause,
    state: skipped ? 'skipped' : 'waiting',
  };
}

/** A node is in the first wave that selects it, or else in the last one. */
function splitByWave(waves: readonly Wave[], nodes: readonly PlanNode[]): readonly (readonly PlanNode[])[] {
  if (waves.length === 1) return [nodes];
  const split = waves.map((): PlanNode[] => []);
  for (const node of nodes) {
    const found = waves.findIndex(({ selector }) => selector === null || inWave(selector, node));
    split[found === -1 ? waves.length - 1 : found]?.push(node);
  }
  return split;
}

/** Whether a wave's selector holds for a node. */
export function inWave({ matchLabels = {}, zone }: WaveSelector, { node }: PlanNode): boolean {
  const { labels } = node;
  const label = (key: string) => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  if (zone !== undefined && (node.zone || label('zone')) !== zone) return false;
  return Object.entries(matchLabels).every(([key, wanted]) => label(key) === wanted);
}

/** Connected ones first. `together`: all of them are moved in one step. A hash takes 1 µs. */
function rank(rolloutId: string, nodes: readonly PlanNode[], together: boolean): readonly string[] {
  const here: string[] = [];
  const gone: string[] = [];
  for (const { connected, node } of nodes) (connected ? here : gone).push(node.id);
  const sort = (ids: string[]) => (together ? sortById(ids) : sortByHash(rolloutId, ids));
  return gone.length === 0 ? sort(here) : [...sort(here), ...sort(gone)];
}

let lastSorted: { readonly ids: readonly string[]; readonly sorted: readonly string[] } | undefined;

/** Rollouts that follow one another are for the same nodes, as a rule: to sort 5,000 takes 2 ms. */
function sortById(ids: readonly string[]): readonly string[] {
  if (lastSorted === undefined || !isSameList(ids, lastSorted.ids))
    lastSorted = { ids, sorted: ids.toSorted() };
  return lastSorted.sorted;
}

function sortByHash(rolloutId: string, ids: readonly string[]): readonly string[] {
  const hashed = ids.map(id => ({ id, hash: hashFraction(rolloutId, id) }));
  return hashed.sort((a, b) => a.hash - b.hash || (a.id < b.id ? -1 : 1)).map(({ id }) => id);
}

/** Where a node stands in a rollout: 0 is moved first, 1 (not reached) last. Even over nodes, new for each rollout. */
export function hashFraction(rolloutId: string, nodeId: string): number {
  return Number.parseInt(sha256Hex(`${rolloutId}\n${nodeId}`).slice(0, 13), 16) / 2 ** 52;
}

/** How many of `targets` a step asks for: a non-zero share is at least one node. */
export function countOf(size: StepSize, targets: number): number {
  if ('nodes' in size) return Math.min(size.nodes, targets);
  const exact = (size.percent * targets) / 100;
  // 7 % of 100 is 7.000000000000001 in floating point, which is no eighth node.
  return Math.min(exact > 0 ? Math.max(Math.ceil(exact - 1e-9), 1) : 0, targets);
}

/** How long a rollout takes in which nothing goes wrong and no person is waited for, in ms. */
export function estimateMs(steps: readonly RolloutStep[], bakeMs: number): number {
  return steps
    .filter(({ state }) => state !== 'skipped')
    .reduce((sum, { soakMs, pause }) => sum + soakMs + (pause === 'human' ? 0 : (pause ?? 0)), bakeMs);
}

/** `10 %`, `1 node`. */
export function describeSize(asked: StepSize): string {
  return 'nodes' in asked ? countNodes(asked.nodes) : `${round(asked.percent)} %`;
}

/** What was asked and what it comes to: `10 % asked, 4 of 37 nodes, 10.8 %`; `1 node of zone a asked, 1 of 12 nodes, 8.3 %`. */
export function describeReach(
  { asked, reaches, wave }: Pick<RolloutStep, 'asked' | 'reaches' | 'wave'>,
  targets: number,
): string {
  const actual = targets === 0 ? 0 : round((reaches / targets) * 100);
  const same = wave === null && 'percent' in asked && round(asked.percent) === actual;
  const whole = wave === null ? '' : ` of ${wave}`;
  return `${describeSize(asked)}${whole} asked, ${reaches} of ${countNodes(targets)}${same ? '' : `, ${actual} %`}`;
}

function countNodes(count: number): string {
  return `${count} ${count === 1 ? 'node' : 'nodes'}`;
}

function round(percent: number): number {
  return Math.round(percent * 10) / 10;
}
