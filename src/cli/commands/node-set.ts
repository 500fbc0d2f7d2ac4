import { type Command, InvalidArgumentError } from 'commander';
import type { NodeLogLevel } from '../../api/schema/node-config-view.ts';
import type { NodeAnswer } from '../../api/schema/node-view.ts';
import { LOG_LEVELS, type LogLevel } from '../../model/node-access.ts';
import { addChangeOptions, type ChangeOptions, toQuery } from '../change-options.ts';
import { CliError } from '../cli-error.ts';
import {
  addServerOption,
  type CommandContext,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { withNearestNode } from '../nearest.ts';
import { parseWord } from '../parse-option.ts';
import { toPath } from '../rest-client.ts';

interface SetOptions extends ServerOptions, ChangeOptions {
  readonly namespace?: string;
  readonly label?: Readonly<Record<string, string | null>>;
  readonly claims?: 'kept' | 'ignored' | 'none';
  readonly certificate?: string;
  readonly admin?: string;
  readonly logFile?: string;
  readonly new?: true;
}

const SET_HELP = `
Namespace and labels decide at once which plugins and resources are for the node, without the steps of a rollout.
"none" lifts a setting, KEY- the one of a label.

Examples:
  attache node set edge-1 --namespace edge --label tier=gold --label zone-
  attache node set edge-9 --new --namespace edge --label tier=gold
  attache node set edge-1 --claims ignored -m "nothing that it says of itself counts"
  attache node set edge-1 --admin http://127.0.0.1:9901 --log-file edge-1.log`;

const LEVEL_HELP = `
It holds until the Envoy restarts. It is asked over its admin interface: attache node set ID --admin http://HOST:PORT

Examples:
  attache node log-level edge-1
  attache node log-level edge-1 debug`;

/** `attache node set ID`, `attache node log-level ID [LEVEL]`. */
export function defineNodeSettings(
  command: Command,
  context: CommandContext,
  finish: (code: number) => void,
): void {
  addChangeOptions(
    addServerOption(command.command('set').description('say what the server takes a node for')),
  )
    .argument('<id>', 'the id of the node')
    .option('--namespace <ns>', 'its namespace, whatever it says of itself; none: its own')
    .option(
      '--label <k=v>',
      'a label, whatever it says of itself; KEY-: its own (repeatable)',
      parseLabelChange,
    )
    .option(
      '--claims <what>',
      'kept|ignored: what it says of its namespace and labels; none: as the server has it',
      parseWord('kept', 'ignored', 'none'),
    )
    .option('--certificate <name>', 'the name in its certificate, and in that of no other node; none')
    .option('--admin <url>', 'http://HOST:PORT of its admin interface, as the server reaches it; none')
    .option('--log-file <file>', "its log, below the server's node-log-directory; none")
    .option('--new', 'it may be one that has not connected yet')
    .addHelpText('after', SET_HELP)
    .action(async (id: string, options: SetOptions) => finish(await setNode(id, options, context)));
  addServerOption(command.command('log-level').description('say how much its plugins log, or set it'))
    .argument('<id>', 'the id of the node')
    .argument('[level]', LOG_LEVELS.join('|'), parseWord(...LOG_LEVELS))
    .addHelpText('after', LEVEL_HELP)
    .action(async (id: string, level: LogLevel | undefined, options: ServerOptions) => {
      const client = toRestClient(options, context);
      const path = toPath('v1', 'nodes', id, 'log-level');
      const { text } = await withNearestNode(client, id, () =>
        level === undefined ? client.get<NodeLogLevel>(path) : client.put<NodeLogLevel>(path, { level }),
      );
      context.out(text);
      finish(EXIT.done);
    });
}

async function setNode(id: string, options: SetOptions, context: CommandContext): Promise<number> {
  const { namespace, label: labels, claims, certificate, admin, logFile, message, dryRun } = options;
  const settings = {
    namespace: toLift(namespace),
    labels,
    claims: toLift(claims),
    certificate: toLift(certificate),
    admin: toLift(admin),
    logFile: toLift(logFile),
  };
  if (Object.values(settings).every(value => value === undefined))
    throw new CliError('bad-usage', 'nothing to set', {
      hint: 'attache node set --help lists what can be set',
    });
  const client = toRestClient(options, context);
  const path = toPath('v1', 'nodes', id);
  const { text } = await withNearestNode(client, id, () =>
    client.patch<NodeAnswer>(path + toQuery({ dryRun }), { ...settings, new: options.new, message }),
  );
  context.out(text);
  return EXIT.done;
}

function toLift(text: string | undefined): string | null | undefined {
  return text === 'none' ? null : text;
}

/** `k=v`, or `k-` for null, added to those before it. */
function parseLabelChange(
  text: string,
  before: Readonly<Record<string, string | null>> = {},
): Readonly<Record<string, string | null>> {
  const equals = text.indexOf('=');
  if (equals > 0) return { ...before, [text.slice(0, equals)]: text.slice(equals + 1) };
  if (equals < 0 && text.length > 1 && text.endsWith('-')) return { ...before, [text.slice(0, -1)]: null };
  throw new InvalidArgumentError('expected KEY=VALUE, or KEY- to lift it');
}
