import type { Command } from 'commander';
import type { TokenCreated, TokenRevoked, TokenView } from '../../api/schema/token-view.ts';
import { ROLES, type Role } from '../../model/access.ts';
import { addChangeOptions, type ChangeOptions, toQuery } from '../change-options.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { parseSelector, parseWord } from '../parse-option.ts';
import { readList } from '../read-list.ts';
import { toPath } from '../rest-client.ts';
import { addOutputOption, type Output, showItems } from '../show-items.ts';
import { TOKENS, toGrantText } from '../token-listing.ts';

interface CreateOptions extends ServerOptions, ChangeOptions {
  readonly role: Role;
  readonly plugins?: string;
  readonly nodes?: Readonly<Record<string, string>>;
  readonly expires?: string;
}

interface ListOptions extends ServerOptions {
  readonly output: Output;
}

interface RevokeOptions extends ServerOptions, ChangeOptions {}

const HELP = `
A viewer reads; a deployer applies, pushes, pauses, aborts and undoes; an approver promotes too; an admin does everything.

Examples:
  attache token create ci-edge --role deployer --plugins edge/ --expires 90d > ci-edge.token
  attache token revoke ci-edge -m "laptop lost"`;

/** `attache token create|list|revoke`: who may call the API. */
export const define: DefineCommand = (command, context, finish) => {
  command.description('give rights to people and machines, and take them').addHelpText('after', HELP);
  defineCreate(command.command('create'), context, finish);
  const list = command.command('list').description('list them; a token itself is shown only once');
  addOutputOption(addServerOption(list))
    .addHelpText('after', '\nExample:\n  attache token list -o wide')
    .action(async ({ output, ...options }: ListOptions) => {
      const tokens = await readList(toRestClient(options, context), '/v1/tokens');
      showItems(TOKENS, tokens as readonly TokenView[], output, context);
      finish(EXIT.done);
    });
  const revoke = command.command('revoke').description('it counts no more, from now on');
  addChangeOptions(addServerOption(revoke))
    .argument('<name>', 'the name of the token')
    .addHelpText('after', '\nExample:\n  attache token revoke ci-edge -m "laptop lost"')
    .action(async (name: string, { message, dryRun, ...options }: RevokeOptions) => {
      const path = toPath('v1', 'tokens', name) + toQuery({ message, dryRun });
      context.out((await toRestClient(options, context).delete<TokenRevoked>(path)).text);
      finish(EXIT.done);
    });
};

function defineCreate(command: Command, context: CommandContext, finish: (code: number) => void): void {
  addChangeOptions(addServerOption(command.description('make one, and print it this once')))
    .argument('<name>', 'whom history names: lower-case letters, digits, dashes and dots')
    .requiredOption('--role <role>', ROLES.join('|'), parseWord(...ROLES))
    .option('--plugins <prefix>', 'only plugins whose NAMESPACE/NAME begins so: edge/, edge/auth')
    .option('--nodes <k=v>', 'only what reaches no node without these labels', parseSelector)
    .option('--expires <time>', 'from now on, e.g. 90d, 12h (default: never)')
    .addHelpText(
      'after',
      '\nThe token goes to stdout, the rest to stderr.\n\nExample:\n' +
        '  attache token create ci-edge --role deployer --plugins edge/ --expires 90d > ci-edge.token',
    )
    .action(async (name: string, { dryRun, ...options }: CreateOptions) => {
      const { role, plugins, nodes, expires, message } = options;
      const client = toRestClient(options, context);
      const body = { name, role, plugins, nodes, expires, message };
      const made = await client.post<TokenCreated>(`/v1/tokens${toQuery({ dryRun })}`, body);
      const until =
        made.expiresAt === null ? '' : `, until ${made.expiresAt.slice(0, 16).replace('T', ' ')} UTC`;
      const text = `${toGrantText(made)}${until}`;
      if (made.token === null) context.out(`dry run: token ${name} would be created: ${text}`);
      else {
        context.err(`token ${name} created: ${text}`);
        context.err('It is shown this once. Use it: ATTACHE_TOKEN=…, or ATTACHE_TOKEN_FILE=FILE');
        context.out(made.token);
      }
      finish(EXIT.done);
    });
}
