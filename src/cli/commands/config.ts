import type { NodeConfigView } from '../../api/schema/node-config-view.ts';
import { XDS_TYPES } from '../../model/type-url.ts';
import { CliError } from '../cli-error.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { withNearestNode } from '../nearest.ts';
import { parseWord } from '../parse-option.ts';
import { printAs } from '../print-as.ts';
import { toPath } from '../rest-client.ts';
import { findResourceType } from '../target.ts';

interface Options extends ServerOptions {
  readonly type?: string;
  readonly output: 'json' | 'yaml';
}

const HELP = `
What Attaché sent, or is to send. What the Envoy made of it, its own config dump says.

Example:
  attache config dump edge-1 --type listeners`;

/** `attache config dump NODE`. */
export const define: DefineCommand = (command, context, finish) => {
  command
    .description('print the Envoy resources of a node, as they were sent')
    .addHelpText('after', '\nExample:\n  attache config dump edge-1');
  addServerOption(
    command
      .command('dump')
      .description('print the Envoy resources of a node, as they were sent, without secrets'),
  )
    .argument('<node>', 'the id of the node')
    .option(
      '--type <type>',
      'only these: listeners, clusters, routes, endpoints, secrets, extensions, runtimes',
    )
    .option('-o, --output <form>', 'json|yaml', parseWord('json', 'yaml'), 'yaml')
    .addHelpText('after', HELP)
    .action(async (node: string, options: Options) => finish(await dump(node, options, context)));
};

async function dump(node: string, options: Options, context: CommandContext): Promise<number> {
  const type = options.type === undefined ? undefined : findResourceType(options.type.toLowerCase());
  if (options.type !== undefined && type === undefined)
    throw new CliError('bad-usage', `--type ${options.type}: no such type`, {
      hint: `Known: ${XDS_TYPES.map(({ plural }) => plural).join(', ')}`,
    });
  const client = toRestClient(options, context);
  const path = `${toPath('v1', 'nodes', node, 'config')}${type === undefined ? '' : `?type=${type}`}`;
  const config = await withNearestNode(client, node, () => client.get<NodeConfigView>(path));
  if (!config.connected)
    context.err(`note: ${node} is not connected: this is what it is to have, and what it has is not known`);
  for (const sentence of config.leftOut) context.err(`note: ${sentence}`);
  printAs(options.output, config, context);
  return EXIT.done;
}
