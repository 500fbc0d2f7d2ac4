import { toCountText, toDurationText, toEstimateText, toNumberText } from '../model/quantity-text.ts';
import type { Rollout, RolloutPhase } from '../model/rollout.ts';
import { movedBy } from '../model/rollout-moves.ts';
import { estimateMs } from '../model/rollout-plan.ts';
import { countRollout } from './rollout-counts.ts';
import { type RolloutFacts, toRunsText } from './rollout-facts.ts';
import { toTime } from './schema/metadata.ts';

/** `7 → 8`, `– → revision 1`, `7 → none`, `7, other nodes`. */
export function toTitle({ kind, from, to }: Pick<Rollout, 'kind' | 'from' | 'to'>): string {
  if (to === null) return `${from.revision ?? '–'} → not known yet`;
  if (kind === 'placement' && from.revision === to.revision) return `${to.revision ?? 'none'}, other nodes`;
  if (kind === 'format' && from.revision === to.revision) return `${to.revision ?? 'none'}, written anew`;
  if (to.revision === null) return `${from.revision ?? '–'} → none`;
  return from.revision === null ? `– → revision ${to.revision}` : `${from.revision} → ${to.revision}`;
}

/** `preset fast (default below 10 nodes): 1 node, then 1 min bake` */
export function toPlanText(facts: RolloutFacts): string {
  const { rollout } = facts;
  const { strategy, steps, targets } = rollout;
  const how = `${strategy.preset === null ? 'its own steps' : `preset ${strategy.preset}`}${toOrigin(facts)}`;
  if (targets === 0) return `${how}: no connected node to move`;
  const reaches = steps.filter(({ state }) => state !== 'skipped').map(step => toNumberText(step.reaches));
  const nodes = reaches.length === 0 ? toCountText(targets, 'node') : toReachText(reaches, targets);
  const bake = toEstimateText(strategy.bakeMs);
  const expected = estimateMs(steps, strategy.bakeMs);
  const human = steps.some(({ pause }) => pause === 'human') ? ', and it waits for a person on the way' : '';
  if (reaches.length === 1)
    return `${how}: ${nodes}${strategy.bakeMs > 0 ? `, then ${bake} bake` : ''}${human}`;
  return `${how}: ${nodes}; about ${toEstimateText(expected)} with the bake${human}`;
}

function toReachText(reaches: readonly string[], targets: number): string {
  return `${reaches.join(', ')} ${targets === 1 ? 'node' : 'nodes'}`;
}

/** Where the preset comes from; known only while the document is the one that the rollout follows. */
function toOrigin({ fleet, rollout }: RolloutFacts): string {
  const spec = fleet.specs.get(rollout.plugin);
  const { preset } = rollout.strategy;
  if (spec === undefined || spec.revision !== rollout.specRevision || preset === null) return '';
  if (spec.value.preset === preset) return ` (this rollout only, by ${rollout.by})`;
  if (spec.value.rollout !== undefined || rollout.kind === 'undo') return '';
  return preset === 'fast' ? ' (default below 10 nodes)' : preset === 'standard' ? ' (default)' : '';
}

/** Phases whose `why` is told by the sentence for the end. */
const TOLD_AT_THE_END: readonly RolloutPhase[] = ['Succeeded', 'Reverted', 'Superseded'];

/** Why a rollout is where it is, in one sentence; null: there is nothing to explain. */
export function toWhy({ rollout }: Pick<RolloutFacts, 'rollout'>): string | null {
  const { failure, phase, why, to } = rollout;
  if (TOLD_AT_THE_END.includes(phase)) return null;
  if (failure?.kind !== 'refusal' || phase === 'NotStarted') return why ?? null;
  const { count, node, text, at } = failure;
  const revision = to?.revision == null ? 'it' : `revision ${to.revision}`;
  const said = `at ${toTime(at)}: "${text}"`;
  return count > 1
    ? `${toCountText(count, 'node')} refused ${revision}, first ${node ?? 'one'} ${said}`
    : `${node ?? 'a node'} refused ${revision} ${said}`;
}

/** One sentence for the end; null while it is under way. */
export function toOutcome(facts: RolloutFacts): string | null {
  const { rollout, active } = facts;
  if (active) return null;
  const took = toDurationText((rollout.endedAt ?? facts.fleet.now) - rollout.startedAt);
  switch (rollout.phase) {
    case 'Succeeded':
      return toSuccessText(facts, took);
    case 'Reverted':
      return `Reverted: it had succeeded, and was ${rollout.why ?? 'undone'}`;
    case 'Superseded':
      return `Superseded after ${took}${toTakenOverText(facts)}`;
    case 'NotStarted':
      return `NotStarted: no node was touched; ${toStaysText(facts)}`;
    case 'RolledBack':
    case 'Aborted':
      return rollout.back === undefined
        ? toStoppedText(facts, took)
        : `${rollout.phase} in ${toDurationText(rollout.back.tookMs ?? 0)}: ${toBackText(facts)}`;
    case 'RollbackIncomplete':
      return `RollbackIncomplete: ${toBackText(facts)}; it goes on trying`;
    case 'Validating':
    case 'Progressing':
    case 'Paused':
    case 'Baking':
    case 'RollingBack':
      return null;
    default:
      return rollout.phase satisfies never;
  }
}

/** What the nodes did at its end is kept with it: they do something else by now. */
function toSuccessText(facts: RolloutFacts, took: string): string {
  const { rollout } = facts;
  const said =
    rollout.why ?? `${toCountText(rollout.targets, 'node')} ${toRunsText(facts, rollout.to?.revision)}`;
  return rollout.targets === 0 || rollout.reason === 'NoNodes'
    ? `Succeeded: ${said}`
    : `Succeeded in ${took}: ${said}`;
}

/** `by edge.auth.11` */
function toTakenOverText({ fleet, rollout }: RolloutFacts): string {
  const next = fleet.rollouts.get(rollout.plugin)?.find(({ number }) => number === rollout.number + 1);
  return next === undefined ? '' : ` by ${next.id}`;
}

function toStaysText({ rollout: { from }, typed }: RolloutFacts): string {
  return from.revision === null ? `no node has ${typed}` : `revision ${from.revision} stays`;
}

/** An abort that leaves the nodes as they are, or that came before any node. */
function toStoppedText(facts: RolloutFacts, took: string): string {
  const { rollout } = facts;
  const { touched, untouched } = countRollout(facts);
  if (touched === 0) return `${rollout.phase} after ${took}: no node was touched; ${toStaysText(facts)}`;
  return `${rollout.phase} after ${took}: ${toCountText(touched, 'node')} ${touched === 1 ? 'keeps' : 'keep'} ${toRunsText(facts, rollout.to?.revision)}, ${toNumberText(untouched)} were never touched`;
}

/** `edge-b-112 is back on revision 7 (confirmed). 299 nodes never touched` */
export function toBackText(facts: RolloutFacts): string {
  const { rollout, moves } = facts;
  const { back, from } = rollout;
  if (back === undefined) return '';
  const { touched, confirmed } = back;
  const ids = [...movedBy(moves).keys()];
  const where = from.revision === null ? `without ${facts.typed} again` : `back on revision ${from.revision}`;
  const { untouched } = countRollout(facts);
  const never = untouched > 0 ? `. ${toCountText(untouched, 'node')} never touched` : '';
  if (touched === 0) return `no connected node had it${never}`;
  const [only] = ids;
  if (touched === 1 && ids.length === 1 && confirmed === 1) return `${only} is ${where} (confirmed)${never}`;
  const verb = touched === 1 ? 'is' : 'are';
  return `${toNumberText(confirmed)} of ${toCountText(touched, 'node')} ${verb} ${where} (confirmed)${never}`;
}
