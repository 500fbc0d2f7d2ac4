import type { DefineCommand } from '../command-context.ts';
import { defineHistory } from './rollout-history.ts';
import { defineStatus } from './rollout-status.ts';
import { defineSteering } from './rollout-steer.ts';

/** `attache rollout`: watch and steer how a change goes from node to node. */
export const define: DefineCommand = (command, context, finish) => {
  command
    .description('watch and steer how a change goes from node to node')
    .addHelpText('after', '\nExample:\n  attache rollout status auth');
  defineStatus(command.command('status'), context, finish);
  defineHistory(command.command('history'), context, finish);
  defineSteering(command, context, finish);
};
