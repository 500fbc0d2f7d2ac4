import type { Command } from 'commander';
import type { NodeAnswer } from '../../api/schema/node-view.ts';
import { addChangeOptions, type ChangeOptions, toQuery } from '../change-options.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { withNearestNode } from '../nearest.ts';
import { toPath } from '../rest-client.ts';
import { defineNodeCredentials } from './node-credentials.ts';
import { defineNodeSettings } from './node-set.ts';

interface Options extends ServerOptions, ChangeOptions {}

/** `attache node exclude|include|set|token|revoke|log-level ID`. */
export const define: DefineCommand = (command, context, finish) => {
  command
    .description('take a node out of rollouts or in again, and say what it is')
    .addHelpText('after', '\nExample:\n  attache node exclude edge-1 -m "debugging there"');
  const exclude = command.command('exclude').description('it takes part in no rollout and leaves all counts');
  const include = command.command('include').description('it takes part again');
  exclude.addHelpText('after', '\nExample:\n  attache node exclude edge-1 -m "debugging there"');
  include.addHelpText('after', '\nExample:\n  attache node include edge-1 -m "done there"');
  addAction(exclude, true, context, finish);
  addAction(include, false, context, finish);
  defineNodeSettings(command, context, finish);
  defineNodeCredentials(command, context, finish);
};

function addAction(
  command: Command,
  excluded: boolean,
  context: CommandContext,
  finish: (code: number) => void,
): void {
  addChangeOptions(addServerOption(command))
    .argument('<id>', 'the id of the node')
    .action(async (id: string, { message, dryRun, ...options }: Options) => {
      const client = toRestClient(options, context);
      const path = toPath('v1', 'nodes', id, 'exclusion');
      const { text } = await withNearestNode(client, id, () =>
        excluded
          ? client.put<NodeAnswer>(path + toQuery({ dryRun }), { message })
          : client.delete<NodeAnswer>(path + toQuery({ message, dryRun })),
      );
      context.out(text);
      finish(EXIT.done);
    });
}
