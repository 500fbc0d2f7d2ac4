import type { GateView, RolloutStepView, RolloutView, StepNodes } from '../../api/schema/rollout-view.ts';
import { toTimerText } from '../../model/quantity-text.ts';
import { localizeTimes } from '../format.ts';
import { toTypedName } from '../target.ts';
import { describeEnd, describeNext } from './rollout-end.ts';
import { describeGroups, describeSize, describeStart, tellsWhy, toGateWord } from './rollout-tree.ts';

/** Node states that somebody who reads a log later wants to have seen. */
const TROUBLE: readonly string[] = ['Refused', 'Degraded', 'Stale'];

/**
 * What differs between two looks at a rollout, a line each: for logs, where nothing can be redrawn. `before` is
 * undefined at the first look. Clocks that run (soaks, ages) make no line.
 */
export function describeChanges(
  before: RolloutView | undefined,
  after: RolloutView,
  nowMs: number,
): readonly string[] {
  const lines = [
    ...(before === undefined ? [describeFirst(after, nowMs)] : []),
    ...after.notes.filter(note => !before?.notes.includes(note)),
    ...after.steps.flatMap((step, i) => describeStep(before?.steps[i], step)),
    ...after.gates.flatMap(gate =>
      describeGate(
        before?.gates.find(({ name }) => name === gate.name),
        gate,
      ),
    ),
    ...(before === undefined ? [] : describePhase(before, after)),
    ...(tellsWhy(after) && after.why !== before?.why ? [`why: ${after.why}`] : []),
    ...describeBack(before, after),
  ];
  return lines.map(line => localizeTimes(line, nowMs));
}

/** The last lines of a log: where the cause is, the end, what to type next. */
export function describeLast(view: RolloutView, nowMs: number): readonly string[] {
  return [...describeEnd(view), ...describeNext(view)].map(line => localizeTimes(line, nowMs));
}

function describeFirst(view: RolloutView, nowMs: number): string {
  return `${toTypedName(view.plugin)}  ${view.title}   ${toPhaseText(view)}   ${describeStart(view, nowMs)}`;
}

function describePhase(before: RolloutView, after: RolloutView): readonly string[] {
  const same = before.phase === after.phase && before.reason === after.reason;
  return same ? [] : [toPhaseText(after)];
}

/** `Paused (Human)`, `Baking   1:00` */
function toPhaseText({ phase, reason, bake }: RolloutView): string {
  const time = phase === 'Baking' && bake !== null ? `   ${toTimerText(bake.totalMs)}` : '';
  return `${phase}${reason === null ? '' : ` (${reason})`}${time}`;
}

function describeStep(before: RolloutStepView | undefined, after: RolloutStepView): readonly string[] {
  const lines: string[] = [];
  const name = `step ${after.number}${after.wave === null ? '' : ` ${after.wave}`}`;
  if (after.word !== before?.word && after.state !== 'waiting') {
    // While a step goes on, its text is a clock.
    const text = after.state === 'active' ? '' : `   ${after.text}`;
    lines.push(`${name}   ${describeSize(after)}   ${after.word}${text}`.trimEnd());
  }
  const isKnown = (group: StepNodes) =>
    before?.nodes.some(({ state, count }) => state === group.state && count === group.count);
  const fresh = after.nodes.filter(group => TROUBLE.includes(group.state) && !isKnown(group));
  return [...lines, ...fresh.flatMap(group => describeGroups([group]).map(line => `${name}   ${line}`))];
}

function describeGate(before: GateView | undefined, after: GateView): readonly string[] {
  // What failed a hard gate is told as the reason of it all.
  const quiet = after.hard || after.state === 'waiting';
  if (quiet || before?.state === after.state) return [];
  const limit = after.limit === null ? '' : ` (${after.limit})`;
  return [`gate ${after.name}   ${toGateWord(after)}   ${after.text}${limit}`];
}

function describeBack(before: RolloutView | undefined, { back }: RolloutView): readonly string[] {
  if (back === null || back.confirmed === before?.back?.confirmed) return [];
  return [`back: ${back.text}`];
}
