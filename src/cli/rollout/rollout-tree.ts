import type { GateView, RolloutStepView, RolloutView, StepNodes } from '../../api/schema/rollout-view.ts';
import {
  toCountText,
  toDurationText,
  toEstimateText,
  toNamesText,
  toTimerText,
} from '../../model/quantity-text.ts';
import { formatClock, localizeTimes } from '../format.ts';
import { toTypedName } from '../target.ts';
import { describeEnd, describeNext } from './rollout-end.ts';
import { type Branch, drawTree } from './tree-lines.ts';

/** Where the right part of the first line begins, when the left one leaves room. */
const RIGHT_COLUMN = 64;
const GOOD_STATES: readonly string[] = ['Accepted', 'Loaded'];
/** Of nodes of one state. */
const NAMES_SHOWN = 8;
/** Soft gates in these states have no numbers worth a line of their own. */
const UNJUDGED: readonly string[] = ['waiting', 'few'];

/** A rollout as people read it: what, why, the steps with their nodes, the gates, the end, what to type next. */
export function drawRollout(view: RolloutView, nowMs: number): readonly string[] {
  const bake = toBakeBranch(view);
  const gates = toGatesBranch(view);
  const lines = [
    describeHead(view, nowMs),
    ...(tellsWhy(view) ? [`  why: ${view.why}`] : []),
    ...view.notes.map(note => `  (${note})`),
    ...drawTree([
      ...view.steps.map(step => toStepBranch(step, view.steps.length === 1)),
      ...(bake === undefined ? [] : [bake]),
      ...(gates === undefined ? [] : [gates]),
    ]),
    ...describeOutside(view),
    ...describeEnd(view),
    ...describeNext(view),
  ];
  return lines.map(line => localizeTimes(line, nowMs));
}

/** The end says again why it succeeded. */
export function tellsWhy({ why, phase }: RolloutView): boolean {
  return why !== null && phase !== 'Succeeded';
}

/** `edge/auth  7 → 8   RolledBack   02:59:10      started 02:57:02 by ci  "why"` */
export function describeHead(view: RolloutView, nowMs: number): string {
  const left = [`${toTypedName(view.plugin)}  ${view.title}`, view.phase, toMoment(view, nowMs)];
  return `${left.join('   ').trimEnd().padEnd(RIGHT_COLUMN)}   ${describeStart(view, nowMs)}`;
}

/** `started 38 s ago by admin  "realm for laptops"` */
export function describeStart(view: RolloutView, nowMs: number): string {
  const startedAt = Date.parse(view.startedAt);
  const when = view.active
    ? `${toDurationText(Math.round((Date.parse(view.asOf) - startedAt) / 1000) * 1000).replace('.0', '')} ago`
    : formatClock(startedAt, nowMs);
  return `started ${when} by ${view.by}${view.message === null ? '' : `  "${view.message}"`}`;
}

/** What stands beside the phase: how far it is, or when it ended. */
function toMoment(view: RolloutView, nowMs: number): string {
  if (view.endedAt !== null) return formatClock(Date.parse(view.endedAt), nowMs);
  if (view.phase === 'Paused') return view.reason === null ? '' : `(${view.reason})`;
  if (view.phase === 'Baking' && view.bake !== null) return toBakeTime(view.bake);
  if (view.phase === 'Progressing' && view.step !== null) return `step ${view.step} of ${view.steps.length}`;
  return view.phase === 'Validating' ? (view.reason ?? '') : '';
}

function toStepBranch(step: RolloutStepView, only: boolean): Branch {
  const [group] = step.nodes;
  const healthy = step.nodes.length === 1 && group !== undefined && GOOD_STATES.includes(group.state);
  const inline = healthy && group.count === 1 && step.state === 'passed' && !only;
  const quiet = inline || (healthy && group.count > 1 && step.state !== 'failed');
  return {
    label: `step ${step.number}${step.wave === null ? '' : ` ${step.wave}`}`,
    cells: [describeSize(step), step.word, step.text, ...(inline ? group.nodes : [])],
    below: quiet ? [] : describeGroups(step.nodes),
  };
}

/** `10 % asked, 30 of 300 nodes`; of a step to come `10 %, 30 nodes`. */
export function describeSize({ asked, reaches, of, state }: RolloutStepView): string {
  if (state !== 'waiting' && state !== 'skipped') return `${asked}, ${reaches} of ${toCountText(of, 'node')}`;
  const size = asked.replace(/ asked$/, '');
  return size.includes('%') ? `${size}, ${toCountText(reaches, 'node')}` : size;
}

/** Single nodes by name; where one line is about several, the count comes first in all. */
export function describeGroups(groups: readonly StepNodes[]): readonly string[] {
  const single = groups.every(({ count, nodes }) => count === 1 && nodes.length === 1);
  const names = groups.map(({ nodes, count }) => toNamesText(nodes, NAMES_SHOWN, count));
  const heads = groups.map(({ count }, i) => (single ? (names[i] ?? '') : String(count)));
  const headWidth = Math.max(...heads.map(head => head.length));
  const stateWidth = Math.max(...groups.map(({ state }) => state.length));
  return groups.map(({ state, nodes, text }, i) => {
    const head = heads[i] ?? '';
    if (single) return `${head.padEnd(headWidth)}   ${state.padEnd(stateWidth)}  ${text}`;
    const rest = nodes.length === 0 ? [text] : [names[i], text];
    return `${head.padStart(headWidth)} ${state.padEnd(stateWidth)}  ${rest.filter(Boolean).join('   ')}`;
  });
}

function toBakeBranch(view: RolloutView): Branch | undefined {
  const { bake, steps } = view;
  // Without steps nobody is there to be watched.
  if (bake === null || bake.state === 'skipped' || steps.length === 0) return undefined;
  return { label: 'bake', cells: [describeBake(bake, view.failure?.kind === 'abort')], below: [] };
}

type Bake = NonNullable<RolloutView['bake']>;

function describeBake(bake: Bake, byPerson: boolean): string {
  switch (bake.state) {
    case 'waiting':
      return `${toEstimateText(bake.totalMs)}, not started`;
    case 'active':
      return toBakeTime(bake);
    case 'failed':
      return `${byPerson ? 'stopped' : 'FAILED'} after ${toBakeTime(bake)}`;
    case 'passed':
      return `done   ${toDurationText(bake.totalMs)}`;
    case 'skipped':
      return 'skipped';
    default:
      return bake.state satisfies never;
  }
}

function toBakeTime({ elapsedMs, totalMs }: Bake): string {
  return `${toTimerText(elapsedMs)} of ${toTimerText(totalMs)}`;
}

/** Hard gates, and those without a judgement, on one line; below it a line for each that was judged. */
function toGatesBranch({ gates }: RolloutView): Branch | undefined {
  if (gates.length === 0) return undefined;
  const isBrief = ({ hard, state }: GateView) => hard || UNJUDGED.includes(state);
  const brief = gates.filter(isBrief).map(toBriefGate);
  const judged = gates.filter(gate => !isBrief(gate));
  const nameWidth = Math.max(0, ...judged.map(({ name }) => name.length));
  const wordWidth = Math.max(0, ...judged.map(gate => toGateWord(gate).length));
  return {
    label: 'gates',
    cells: brief.length === 0 ? [] : [brief.join('   ')],
    below: judged.map(gate => {
      const limit = gate.limit === null ? '' : `   (${gate.limit})`;
      return `${gate.name.padEnd(nameWidth)}   ${toGateWord(gate).padEnd(wordWidth)}   ${gate.text}${limit}`;
    }),
  };
}

/** `refusals 0`; what failed a hard gate is told as the reason of it all. */
function toBriefGate({ name, hard, state, text }: GateView): string {
  return `${name} ${hard && state === 'fail' ? 'FAILED' : text}`.trimEnd();
}

/** How a gate stands, in words; of a dry run that it decides nothing. */
export function toGateWord({ state, dryRun, failures }: GateView): string {
  const words: Readonly<Record<GateView['state'], string>> = {
    waiting: 'not judged yet',
    pass: 'ok',
    few: 'too few to judge',
    inconclusive: 'too few to judge: paused',
    error: 'cannot be measured',
    failing: `over the limit, ${toCountText(failures, 'sample')} so far`,
    fail: 'FAILED',
  };
  return dryRun ? `${words[state]}, only reported` : words[state];
}

/** Nodes that are selected and take no part, by reason. */
function describeOutside({ outside }: RolloutView): readonly string[] {
  const reasons = [...new Set(outside.map(({ reason }) => reason))];
  return reasons.map(reason => {
    const those = outside.filter(one => one.reason === reason);
    const names = toNamesText(those.map(({ node }) => node));
    return `not counted: ${names} (${reason}: ${those[0]?.text ?? ''})`;
  });
}
