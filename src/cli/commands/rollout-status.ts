import type { RolloutView } from '../../api/schema/rollout-view.ts';
import {
  addNamespaceOption,
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { formatClock } from '../format.ts';
import { paintStates } from '../paint.ts';
import { parseDuration, parseWord } from '../parse-option.ts';
import { printAs } from '../print-as.ts';
import type { RestClient } from '../rest-client.ts';
import { toRolloutExitCode } from '../rollout/rollout-end.ts';
import {
  awaitRollout,
  createRolloutReader,
  expectRollout,
  parseRolloutTarget,
  type RolloutTarget,
  readRollout,
} from '../rollout/rollout-target.ts';
import { drawRollout } from '../rollout/rollout-tree.ts';
import { showRollout } from '../rollout/show-rollout.ts';
import { watchRollout } from '../rollout/watch-rollout.ts';

interface Options extends ServerOptions {
  readonly namespace?: string;
  readonly once?: true;
  readonly timeout?: number;
  readonly output?: 'json' | 'yaml';
}

const HELP = `
Exit codes: 0 Succeeded, 1 NotStarted or an error, 4 went back (RolledBack, Aborted, Reverted) or was superseded,
5 paused until a person acts, 6 --timeout is over, or with --once: still under way.

Example:
  attache rollout status auth --timeout 30m`;

/** `attache rollout status NAME|ID`: live until the end. */
export const defineStatus: DefineCommand = (command, context, finish) => {
  addNamespaceOption(addServerOption(command.description('watch a rollout until it ends')))
    .argument('<name>', 'NAME or NAMESPACE/NAME of the plugin, or the id of a rollout')
    .option('--once', 'print how it stands, and leave')
    .option('--timeout <duration>', 'leave after this time at the latest, e.g. 30m', parseDuration)
    .option('-o, --output <form>', 'json|yaml: as data, at the end', parseWord('json', 'yaml'))
    .addHelpText('after', HELP)
    .action(async (name: string, options: Options) => {
      const target = parseRolloutTarget(name, options.namespace);
      finish(await showStatus(toRestClient(options, context), target, options, context));
    });
};

async function showStatus(
  client: RestClient,
  target: RolloutTarget,
  options: Options,
  context: CommandContext,
): Promise<number> {
  if (options.once) {
    if (target.byName) await expectRollout(client, target);
    const view = await readRollout(client, target);
    print(view, options, context);
    return toRolloutExitCode(view);
  }
  if (target.byName) await awaitRollout(client, target, options.timeout);
  const moments = watchRollout(createRolloutReader(client, target), { timeoutMs: options.timeout });
  if (options.output === undefined) return (await showRollout(moments, client.server, context)).code;
  let view: RolloutView | undefined;
  let late = false;
  for await (const moment of moments) {
    if (moment.kind === 'view') view = moment.view;
    else if (moment.kind === 'lost') context.err(`${now()} lost ${client.server}, trying again`);
    else if (moment.kind === 'connected') context.err(`${now()} connected again`);
    else late = true;
  }
  if (view === undefined) return EXIT.error;
  print(view, options, context);
  return late ? EXIT.timeout : toRolloutExitCode(view);
}

function print(view: RolloutView, { output }: Options, context: CommandContext): void {
  if (output === undefined)
    context.out(paintStates(drawRollout(view, Date.now()).join('\n'), context.screen));
  else printAs(output, view, context);
}

function now(): string {
  return formatClock(Date.now(), Date.now());
}
