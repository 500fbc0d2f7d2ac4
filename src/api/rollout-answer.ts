import { toCountText } from '../model/quantity-text.ts';
import type { Rollout } from '../model/rollout.ts';
import type { RolloutAction } from '../model/rollout-intent.ts';
import { readVisible } from './access/visible.ts';
import type { CallContext } from './api-context.ts';
import type { Asked, DryAsked, RolloutRequest } from './ask-rollout.ts';
import { readRolloutFacts } from './rollout-facts.ts';
import type { RolloutAnswer, RolloutView } from './schema/rollout-view.ts';
import { toRolloutView } from './to-rollout-view.ts';

/** The answer to a verb: what became of it, and the rollout as it stands now, where the caller may see it. */
export async function toRolloutAnswer(
  context: CallContext,
  action: RolloutAction,
  asked: Asked,
  request: RolloutRequest,
): Promise<RolloutAnswer> {
  const shown = asked.taken ?? asked.before;
  const rollout = shown === undefined ? null : await readView(context, shown);
  if (asked.taken === undefined || rollout === null)
    return {
      kind: 'RolloutAnswer',
      action,
      outcome: 'accepted',
      text: `${asked.plugin}: ${action} is stored, and is taken in as soon as the server gets to it`,
      rollout,
    };
  return { kind: 'RolloutAnswer', action, outcome: 'done', text: toText(action, rollout, request), rollout };
}

/** The answer to a verb that was possible, and was not asked for in earnest. */
export async function toDryRunAnswer(
  context: CallContext,
  action: RolloutAction,
  { before, planned }: DryAsked,
): Promise<RolloutAnswer> {
  const rollout = before === undefined ? null : await readView(context, before);
  return { kind: 'RolloutAnswer', action, outcome: 'planned', text: `dry run: ${planned}`, rollout };
}

export async function toAlreadyBackAnswer(
  context: CallContext,
  text: string,
  newest: Rollout | undefined,
): Promise<RolloutAnswer> {
  const rollout = newest === undefined ? null : await readView(context, newest);
  return { kind: 'RolloutAnswer', action: 'undo', outcome: 'already-back', text, rollout };
}

async function readView(context: CallContext, { plugin, number }: Rollout): Promise<RolloutView | null> {
  const fleet = await readVisible(context);
  const newer = fleet.rollouts.get(plugin)?.find(rollout => rollout.number === number);
  return newer === undefined ? null : toRolloutView(await readRolloutFacts(context.store, fleet, newer));
}

function toText(action: RolloutAction, rollout: RolloutView, { full, freeze }: RolloutRequest): string {
  const { id, counts, step, steps } = rollout;
  const where = step === null ? '' : ` at step ${step} of ${steps.length}`;
  switch (action) {
    case 'pause':
      return `${id} is paused${where}`;
    case 'resume':
      return `${id} goes on${where}`;
    case 'promote':
      return full === true
        ? `${id}: ${toCountText(counts.targets, 'node')} now, without steps and soaks; a refusal still takes all of them back`
        : `${id} goes on${where}`;
    case 'abort':
      return freeze === true
        ? `${id} is stopped; the nodes stay as they are (${counts.touched} of ${counts.targets} have it)`
        : toReturnText(rollout);
    case 'retry':
      return rollout.active ? `${id}: ${rollout.title}, ${rollout.plan}` : `${rollout.plugin} is tried again`;
    case 'undo':
      return rollout.change === 'undo' || rollout.active === false
        ? toUndoText(rollout)
        : toReturnText(rollout);
    default:
      return action satisfies never;
  }
}

/** An active rollout that was ended. */
function toReturnText({ id, counts, from, outcome }: RolloutView): string {
  if (outcome !== null) return `${id} ${outcome}`;
  const where = from.revision === null ? 'to none' : `to revision ${from.revision}`;
  return counts.touched === 0
    ? `${id} is stopped; no node was touched`
    : `${id} goes back ${where} on ${toCountText(counts.touched, 'node')}, at once`;
}

/** `auth: revision 2 → 1 on 1 node, at once; bytes are here, no registry needed` */
function toUndoText({
  plugin,
  from,
  to,
  change,
  counts,
  preset,
  bake,
  plan,
  id,
  outcome,
}: RolloutView): string {
  if (change !== 'undo') return `${id} ${outcome ?? ''}`.trim();
  const [before, after] = [from.revision, to?.revision ?? null];
  const ways =
    before === null || after === null
      ? `${toSideText(before)} → ${toSideText(after)}`
      : `revision ${before} → ${after}`;
  const how = preset === 'all-at-once' && bake === null ? 'at once (inside the 72 h window)' : plan;
  const bytes = after === null ? '' : '; bytes are here, no registry needed';
  return `${plugin}: ${ways} on ${toCountText(counts.targets, 'node')}, ${how}${bytes}`;
}

function toSideText(revision: number | null): string {
  return revision === null ? 'none' : `revision ${revision}`;
}
