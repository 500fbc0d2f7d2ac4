import type { Plan, PlanChain, PluginPlan, ResourcePlan } from '../api/schema/plan-view.ts';
import { toEstimateText, toNamesText } from '../model/quantity-text.ts';
import { localizeTimes, NONE } from './format.ts';
import { describeNext } from './rollout/rollout-end.ts';
import { toSingular } from './target.ts';

/** Names that a plan shows of a list; the rest is a number. */
const NAMES_SHOWN = 8;

/** What a plan would change, for a person: the document, the chain of each group of nodes, the nodes of each step. */
export function describePlan(plan: Plan, nowMs: number): readonly string[] {
  return plan.items
    .flatMap(item => (item.kind === 'PluginPlan' ? describePluginPlan(item) : describeResourcePlan(item)))
    .map(line => localizeTimes(line, nowMs));
}

/** Warnings of all items: messages, no data. */
export function listPlanWarnings(plan: Plan): readonly string[] {
  return plan.items.flatMap(({ warnings }) => warnings);
}

function describePluginPlan(plan: PluginPlan): readonly string[] {
  const { plugin, result, title, problem, rollout } = plan;
  const word = result === 'configured' ? '' : `   ${result === 'held-back' ? 'held back' : result}`;
  const lines = [`${plugin}   ${title}${word}`, ...describeChanges(plan)];
  if (problem !== null) {
    lines.push(`  the module cannot be used: ${problem.message}   (code ${problem.code})`);
    if (problem.hint !== null) lines.push(`  ${problem.hint}`);
    if (problem.transient)
      lines.push('  applied, it would be tried again for an hour; no node would be touched');
  }
  if (plan.held !== null)
    lines.push(`  ${plan.held.text}`, ...describeNext(plan.held).map(line => `  ${line}`));
  lines.push(...plan.chains.flatMap(describeChain));
  if (rollout !== null) lines.push(...describeSteps(rollout));
  for (const { node, reason, text } of plan.outside) lines.push(`not counted: ${node} (${reason}: ${text})`);
  if (plan.frozen !== null) lines.push(`${plan.frozen.text}: applied now, it would be refused`);
  return lines;
}

/** The leaves that differ, and the module, in columns. */
function describeChanges({ changes, module }: PluginPlan): readonly string[] {
  const rows = changes.map(
    ({ path, before, after }) => [path, `${before ?? NONE} → ${after ?? NONE}`] as const,
  );
  return toColumns(module === null ? rows : [...rows, ['module', module.text] as const]);
}

function toColumns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}   ${right}`);
}

function describeChain(chain: PlanChain): readonly string[] {
  if (chain.beforeText === chain.afterText) return [chain.text];
  return [chain.text, `  before   ${chain.beforeText}`, `  after    ${chain.afterText}`];
}

type PlannedRollout = NonNullable<PluginPlan['rollout']>;

function describeSteps(rollout: PlannedRollout): readonly string[] {
  const { steps, supersedes, expectedMs } = rollout;
  const lines = [rollout.text];
  // One step says all there is to say; of several, each has its nodes.
  if (steps.length > 1) lines.push(...steps.map(({ text }) => `  ${text}`));
  if (expectedMs > 0) lines.push(`about ${toEstimateText(expectedMs)} in all, if nothing goes wrong`);
  if (supersedes !== null) lines.push(`takes over from ${supersedes}, which is under way`);
  return lines;
}

function describeResourcePlan(plan: ResourcePlan): readonly string[] {
  const { type, namespace, name, result, changes, count, nodes, listeners, frozen } = plan;
  const lines = [
    `${toSingular(type)} ${namespace}/${name}   ${result}${plan.differs ? `: ${plan.text}` : ''}`,
    ...toColumns(changes.map(({ path, before, after }) => [path, `${before ?? NONE} → ${after ?? NONE}`])),
  ];
  if (plan.differs && count > 0) lines.push(`  nodes   ${toNamesText(nodes, NAMES_SHOWN, count)}`);
  lines.push(...listeners.map(({ text }) => `  ! ${text}`));
  if (frozen !== null) lines.push(`${frozen.text}: applied now, it would be refused`);
  return lines;
}
