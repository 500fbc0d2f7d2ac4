import type { GateReport } from '../model/rollout.ts';
import type { Gate } from '../model/rollout-strategy.ts';
import type { GateFacts, GateFailure, GateOutcome, GatePause, GateWatch } from './judge-gates.ts';
import { toFailure } from './judge-hard.ts';
import { isOver, type Measure, type Measured, measureGate } from './judge-measure.ts';
import { toFewText, toLimitText, toMeasureText } from './judge-text.ts';

const LONGEST_BETWEEN_MS = 30_000;
const ERRORS_IN_A_ROW = 4;

/** What one look at a gate was made under. */
interface Look {
  readonly facts: GateFacts;
  readonly gate: Gate;
  /** With the failures of this soak only. */
  readonly before: GateReport;
  /** The last one of this soak. */
  readonly isLast: boolean;
  /** A person saw what was wrong and resumed: the same is not held against it once more in this soak. */
  readonly looked: boolean;
}

/** Samples a gate when its time has come; between samples its report stays as it is. */
export function judgeSoftGate(facts: GateFacts, gate: Gate, before: GateReport): GateOutcome {
  const { watch, now } = facts;
  if (watch === null || watch.totalMs <= 0 || (gate.kind === 'memory' && !watch.baking))
    return { report: before };
  const isEarlier = before.at === null || before.at <= watch.since;
  const at = isEarlier ? null : before.at;
  const dueAt = findDue(gate, watch, at, now);
  if (dueAt > now) return { report: before, nextAt: Math.min(dueAt, now + watch.leftMs) };
  const isLast = watch.leftMs <= 0;
  if (at === now) return { report: before };
  const looked = !isEarlier && before.verdict === 'waiting';
  const look: Look = { facts, gate, before: isEarlier ? { ...before, failures: 0 } : before, isLast, looked };
  const outcome = judge(look, measure(facts, gate, watch, at));
  const kept = gate.dryRun ? { report: outcome.report } : outcome;
  const interval = intervalOf(gate, watch);
  return isLast ? kept : { ...kept, nextAt: now + Math.min(interval, watch.leftMs) };
}

/** Since the last sample; where that is too little, over the whole soak. */
function measure(facts: GateFacts, gate: Gate, watch: GateWatch, at: number | null): Measured {
  const since = measureGate(facts, gate, at ?? watch.since);
  return since.kind === 'few' && at !== null ? measureGate(facts, gate, watch.since) : since;
}

function intervalOf({ everyMs }: Gate, { totalMs }: GateWatch): number {
  return everyMs ?? Math.min(totalMs / 3, LONGEST_BETWEEN_MS);
}

function findDue(gate: Gate, watch: GateWatch, at: number | null, now: number): number {
  if (watch.leftMs <= 0) return now;
  const interval = intervalOf(gate, watch);
  return at === null ? now + interval - (watch.totalMs - watch.leftMs) : at + interval;
}

function judge(look: Look, measured: Measured): GateOutcome {
  switch (measured.kind) {
    case 'measure':
      return judgeMeasure(look, measured.measure);
    case 'few':
      return judgeFew(look, toFewText(look.gate, measured.moved, measured.why), { moved: measured.moved });
    case 'error':
      return look.gate.written
        ? judgeError(look, measured.why)
        : judgeFew(look, toFewText(look.gate, { value: null, requests: 0 }, measured.why), { moved: null });
  }
}

function judgeMeasure({ facts, gate, before }: Look, measure: Measure): GateOutcome {
  const { moved, others } = measure;
  const text = toMeasureText(gate.kind, measure);
  const base = { ...before, moved, others, errors: 0, at: facts.now };
  // A node's memory is over the limit by itself; for the others it is the whole side that counts.
  const isFailing = gate.kind === 'memory' ? measure.failing.length > 0 : isOver(gate, moved, others);
  if (!isFailing) return { report: { ...base, verdict: 'pass', text } };
  const failures = before.failures + 1;
  if (failures <= gate.failures) return { report: { ...base, verdict: 'failing', text, failures } };
  return {
    report: { ...base, verdict: 'fail', text, failures },
    fail: toGateFailure(facts, gate, measure, `${text}; limit ${toLimitText(gate)}`),
  };
}

function toGateFailure(facts: GateFacts, gate: Gate, { failing }: Measure, text: string): GateFailure {
  const all = failing.length > 0 ? failing : facts.moved.map(({ id }) => id);
  const { node, ...failure } = toFailure(gate.name, all, text);
  return {
    ...failure,
    // Many nodes that are a little worse: no single one is at fault.
    ...(failing.length > 0 && node !== undefined ? { node } : {}),
    kind: 'gate',
    reason: 'Gate',
    why: `gate ${gate.name}: ${text}`,
  };
}

/** Only at the end of the soak it is sure that there will not be enough. */
function judgeFew(look: Look, text: string, { moved }: Pick<GateReport, 'moved'>): GateOutcome {
  const { facts, gate, before, isLast, looked } = look;
  const report: GateReport = {
    ...before,
    text,
    moved,
    others: null,
    errors: 0,
    at: facts.now,
    verdict: 'few',
  };
  if (!gate.written || !isLast || looked) return { report };
  const pause: GatePause = {
    gate: gate.name,
    reason: 'Inconclusive',
    why: `gate ${gate.name} cannot tell: ${text}`,
  };
  return { report: { ...report, verdict: 'inconclusive' }, pause };
}

/** Metrics that do not come say nothing of the plugin: a person decides. */
function judgeError({ facts, gate, before, isLast, looked }: Look, why: string): GateOutcome {
  const errors = before.errors + 1;
  const report: GateReport = {
    ...before,
    verdict: 'error',
    text: why,
    moved: null,
    others: null,
    errors,
    at: facts.now,
  };
  if (errors < ERRORS_IN_A_ROW && !(isLast && !looked)) return { report };
  const pause: GatePause = {
    gate: gate.name,
    reason: 'MetricErrors',
    why: `gate ${gate.name} cannot be judged: ${why}`,
  };
  return { report, pause };
}
