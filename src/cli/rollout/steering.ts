import type { RolloutAnswer, RolloutView } from '../../api/schema/rollout-view.ts';
import type { CommandContext } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { localizeTimes } from '../format.ts';
import type { RestClient } from '../rest-client.ts';
import { toTypedName } from '../target.ts';
import { createRolloutReader } from './rollout-target.ts';
import { describeGroups } from './rollout-tree.ts';
import { watchRollout } from './watch-rollout.ts';

/** Going back is a matter of seconds; whatever takes longer is told as it stands. */
const BACK_TIMEOUT_MS = 30_000;

/** What a verb did, and how to watch what follows. */
export function describeSteering({ action, text, rollout }: RolloutAnswer): readonly string[] {
  const watched = action === 'resume' || action === 'promote' || action === 'retry';
  if (!watched || rollout === null || !rollout.active) return [text];
  return [text, toWatchLine(rollout.plugin)];
}

/** `watch: attache rollout status auth` */
export function toWatchLine(plugin: string): string {
  return `watch: attache rollout status ${toTypedName(plugin)}`;
}

/**
 * After undo and abort: waits while nodes go back and says which did; what goes through steps is only told how to
 * watch. Exit code 0: all are back, or on their way through steps; 6: not in the time one waits for it; 4: they run
 * something else.
 */
export async function followBack(
  client: RestClient,
  answer: RolloutAnswer,
  context: CommandContext,
): Promise<number> {
  const { rollout, outcome } = answer;
  if (rollout === null || outcome === 'already-back') return EXIT.done;
  if (isStepwise(rollout)) {
    context.out(toWatchLine(rollout.plugin));
    return EXIT.done;
  }
  const target = { plugin: rollout.plugin, id: rollout.id, byName: false };
  const times = { timeoutMs: BACK_TIMEOUT_MS, everyMs: 100 };
  let view = rollout;
  for await (const moment of watchRollout(createRolloutReader(client, target), times))
    if (moment.kind === 'view') view = moment.view;
  const fresh = describeBack(view).filter(line => !answer.text.includes(line));
  if (fresh.length > 0) context.out(localizeTimes(fresh.join('\n'), Date.now()));
  return toBackExitCode(view);
}

/** The nodes that went back, then the end in a sentence. */
export function describeBack(view: RolloutView): readonly string[] {
  if (view.active) return [...(view.back === null ? [] : [view.back.text]), toWatchLine(view.plugin)];
  const nodes = view.change === 'undo' ? describeGroups(view.steps.flatMap(step => step.nodes)) : [];
  return [...nodes, ...(view.outcome === null ? [] : [view.outcome])];
}

/** Being back is what was asked for. */
export function toBackExitCode({ phase, active }: RolloutView): number {
  if (active || phase === 'RollbackIncomplete') return EXIT.timeout;
  return phase === 'Succeeded' || phase === 'RolledBack' || phase === 'Aborted' ? EXIT.done : EXIT.refused;
}

/** An undo that is under way and has steps to come, or a watch after them. */
function isStepwise({ active, change, steps, bake }: RolloutView): boolean {
  const several = steps.filter(({ state }) => state !== 'skipped').length > 1;
  return active && change === 'undo' && (several || (bake !== null && bake.totalMs > 0));
}
