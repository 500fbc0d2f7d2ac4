import { toNumberText } from '../model/quantity-text.ts';
import type { Revision } from '../model/revision.ts';
import { legalActions, type RolloutAction } from '../model/rollout-intent.ts';
import { countRollout } from './rollout-counts.ts';
import type { RolloutFacts } from './rollout-facts.ts';
import { toSettleNote } from './rollout-timer.ts';
import { toTime } from './schema/metadata.ts';
import type { NextCommand } from './schema/rollout-view.ts';

/** What a person can ask of it now. Of a rollout that others came after: nothing. */
export function toActions({ rollout, latest, heldBack }: RolloutFacts): RolloutAction[] {
  if (!latest) return [];
  const legal = legalActions(rollout.phase);
  // After an undo it succeeded, and what was undone can be tried again all the same.
  return heldBack && !legal.includes('retry') ? ['retry', ...legal] : [...legal];
}

/** The command lines that a person may want next, the likeliest first. */
export function toNext(facts: RolloutFacts): NextCommand[] {
  const { rollout, latest, typed } = facts;
  if (!latest) return [];
  const verb = (action: string, text: string): NextCommand => ({
    command: `attache rollout ${action} ${typed}`,
    text,
  });
  const fix: NextCommand = { command: null, text: 'fix and apply' };
  const retry = verb('retry', 'to try it again');
  switch (rollout.phase) {
    case 'Validating':
      return rollout.reason === 'ModuleUnavailable' ? [verb('abort', 'to stop')] : [];
    case 'NotStarted':
      return [fix, retry];
    case 'Paused':
      return toPausedNext(facts, verb);
    case 'RolledBack':
      return rollout.failure?.kind === 'abort' ? [retry] : [fix, ...toBundle(rollout), retry];
    case 'RollbackIncomplete': {
      const [node] = rollout.back?.missing ?? [];
      const look = { command: `attache describe node ${node}`, text: 'to see what it says' };
      return node === undefined ? [retry] : [look, retry];
    }
    case 'Aborted':
    case 'Reverted':
      return [verb('retry', 'to roll it out again')];
    case 'Progressing':
    case 'Baking':
    case 'RollingBack':
    case 'Superseded':
      return [];
    case 'Succeeded':
      return facts.heldBack ? [verb('retry', 'to roll out again what is held back')] : [];
    default:
      return rollout.phase satisfies never;
  }
}

/** What its authors need, where the plugin loaded and then failed. */
function toBundle({ id, failure }: RolloutFacts['rollout']): NextCommand[] {
  if (failure?.kind !== 'broken' && failure?.kind !== 'reload') return [];
  return [{ command: `attache bundle rollout ${id} > ${id}.json`, text: 'for the authors of the plugin' }];
}

function toPausedNext(
  { rollout }: RolloutFacts,
  verb: (action: string, text: string) => NextCommand,
): NextCommand[] {
  const abort = verb('abort', 'to go back');
  switch (rollout.reason) {
    case 'Frozen':
      return [{ command: 'attache unfreeze', text: 'to go on, with all that is paused' }, abort];
    case 'Human':
      return [verb('promote', 'to go on with the next step'), abort];
    default:
      return [verb('resume', 'to go on'), abort];
  }
}

/** Lines that tell where the cause of a failure is to be found, and what could not be known before. */
export function toCauseLines({ rollout, to }: RolloutFacts): string[] {
  const { failure, plugin } = rollout;
  if (failure === undefined || (failure.kind !== 'refusal' && failure.kind !== 'reload')) return [];
  const nodes = failure.count === 1 ? `of ${failure.node ?? 'that node'}` : 'of those nodes';
  const lines = [
    `the cause is in the Envoy log ${nodes} only. There: grep 'wasm log ${plugin}' <envoy log>, around ${toTime(failure.at)}`,
  ];
  if (to !== undefined) lines.push(toCheckedText(to));
  return lines;
}

/** What a node alone knows may be read by a request, long after the trial run. */
function toCheckedText({ module: { abi, importCount, trial }, config }: Revision): string {
  const fromHost = config.env
    .filter(({ valueFrom }) => valueFrom === 'HOST')
    .map(({ name }) => `env ${name} comes from the host (vmConfig.env valueFrom HOST)`);
  const names = [...new Set([...(trial?.unknowable ?? []), ...fromHost])];
  const unknown = names.length === 0 ? '' : `, but it could not know these: ${names.join('; ')}`;
  if (trial !== undefined) return `what the trial run said: ${trial.reason ?? trial.outcome}${unknown}`;
  const checked = `what was checked before: ABI ${abi} and ${toNumberText(importCount)} imports, all ok`;
  return `${checked}${unknown || '; not what it does with its configuration'}`;
}

/** What else is good to know while it runs. */
export function toNotes(facts: RolloutFacts): string[] {
  const { active, fleet, rollout, latest } = facts;
  const settle = toSettleNote(facts);
  const before = fleet.rollouts.get(rollout.plugin)?.find(({ number }) => number === rollout.number - 1);
  const notes = settle === null ? [] : [settle];
  if (before?.phase === 'Superseded') notes.push(`it took over from ${before.id}`);
  if (!active || !latest || settle !== null) return notes;
  const { disconnected } = countRollout(facts);
  if (disconnected > 0)
    notes.push(
      disconnected === 1
        ? '1 target is not connected; it gets it when it returns'
        : `${toNumberText(disconnected)} targets are not connected; they get it when they return`,
    );
  return notes;
}
