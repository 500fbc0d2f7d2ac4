import type { PluginName } from './plugin-spec.ts';
import { ROLLOUT_PHASES, type RolloutPhase } from './rollout.ts';

/** What a person asks of a rollout. Written by the api, taken in by the rollout stage; one record per plugin. */
export interface RolloutIntent {
  /** 1, 2, 3 … per plugin: Rollout.intent tells the newest one that was taken in. */
  readonly id: number;
  readonly plugin: PluginName;
  /** The rollout it was meant for; undo may be about none. */
  readonly rollout: string | null;
  readonly action: RolloutAction;
  /** promote: skip all further steps and soaks. */
  readonly full?: boolean;
  /** abort: stop and leave the nodes as they are. */
  readonly freeze?: boolean;
  /** undo: to this revision; absent: the good one before. */
  readonly to?: number;
  readonly by: string;
  readonly message?: string;
  readonly at: number;
}

export const ROLLOUT_ACTIONS = ['pause', 'resume', 'promote', 'abort', 'retry', 'undo'] as const;
export type RolloutAction = (typeof ROLLOUT_ACTIONS)[number];

const ALLOWED_IN: Readonly<Record<RolloutAction, readonly RolloutPhase[]>> = {
  pause: ['Progressing', 'Baking'],
  resume: ['Paused'],
  promote: ['Paused', 'Progressing'],
  abort: ['Validating', 'Progressing', 'Paused', 'Baking'],
  retry: ['NotStarted', 'RolledBack', 'Aborted', 'RollbackIncomplete', 'Reverted'],
  undo: ROLLOUT_PHASES,
};

/** Whether a rollout in this phase can be asked for it. */
export function isLegal(action: RolloutAction, phase: RolloutPhase): boolean {
  return ALLOWED_IN[action].includes(phase);
}

/** What a rollout in this phase can be asked for. */
export function legalActions(phase: RolloutPhase): readonly RolloutAction[] {
  return ROLLOUT_ACTIONS.filter(action => isLegal(action, phase));
}
