import type { Command } from 'commander';
import type { NodeAnswer, NodeToken } from '../../api/schema/node-view.ts';
import { addChangeOptions, type ChangeOptions, toQuery } from '../change-options.ts';
import {
  addServerOption,
  type CommandContext,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { toPath } from '../rest-client.ts';

const REVOKE_HELP = `
Tokens and certificates from before are worth nothing from now on, and its connections end. The id stays: for a new
start give it a new token (attache node token) or a new certificate (attache pki issue --replace).

Example:
  attache node revoke edge-1 -m "the machine was stolen"`;

/** `attache node token ID`, `attache node revoke ID`. */
export function defineNodeCredentials(
  command: Command,
  context: CommandContext,
  finish: (code: number) => void,
): void {
  addServerOption(command.command('token').description('print what proves an Envoy to be this node'))
    .argument('<id>', 'the id of the node, which need not have connected yet')
    .addHelpText('after', '\nExample:\n  attache node token edge-1')
    .action(async (id: string, options: ServerOptions) => {
      const path = toPath('v1', 'nodes', id, 'token');
      context.out(
        (await toRestClient(options, context).post<NodeToken & { readonly token: string }>(path, undefined))
          .token,
      );
      finish(EXIT.done);
    });
  addChangeOptions(addServerOption(command.command('revoke').description('take back what proves a node')))
    .argument('<id>', 'the id of the node')
    .addHelpText('after', REVOKE_HELP)
    .action(async (id: string, { message, dryRun, ...options }: ServerOptions & ChangeOptions) => {
      const path = toPath('v1', 'nodes', id, 'revocation') + toQuery({ dryRun });
      context.out((await toRestClient(options, context).put<NodeAnswer>(path, { message })).text);
      finish(EXIT.done);
    });
}
