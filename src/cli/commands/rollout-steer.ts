import type { Command } from 'commander';
import type { RolloutAnswer } from '../../api/schema/rollout-view.ts';
import { addChangeOptions, type ChangeOptions, toQuery } from '../change-options.ts';
import {
  addNamespaceOption,
  addServerOption,
  type CommandContext,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { withNearestPlugin } from '../nearest.ts';
import { parseCount } from '../parse-option.ts';
import { type RestClient, toPath } from '../rest-client.ts';
import { parseRolloutTarget, pluginPath, type RolloutTarget } from '../rollout/rollout-target.ts';
import { describeSteering, followBack } from '../rollout/steering.ts';

interface Options extends ServerOptions, ChangeOptions {
  readonly namespace?: string;
  readonly full?: true;
  readonly freeze?: true;
  readonly to?: number;
}

interface Verb {
  readonly action: RolloutAnswer['action'];
  readonly summary: string;
  readonly example: string;
  addOptions?(command: Command): Command;
}

const VERBS: readonly Verb[] = [
  { action: 'pause', summary: 'stop where it is', example: 'attache rollout pause auth -m "looking at 5xx"' },
  { action: 'resume', summary: 'go on where it was paused', example: 'attache rollout resume auth' },
  {
    action: 'promote',
    summary: 'end this pause or soak and go to the next step',
    example: 'attache rollout promote auth --full -m "CVE-2026-…"',
    addOptions: command =>
      command.option('--full', 'skip all further steps and soaks; refusals still roll back'),
  },
  {
    action: 'abort',
    summary: 'stop, and bring all nodes back',
    example: 'attache rollout abort auth -m "wrong file"',
    addOptions: command => command.option('--freeze', 'leave the nodes as they are instead'),
  },
  {
    action: 'retry',
    summary: 'try again what failed, was stopped or was undone',
    example: 'attache rollout retry auth -m "mount is back"',
  },
  {
    action: 'undo',
    summary: 'go back to the good revision before',
    example: 'attache rollout undo auth -m "liked the old one"',
    addOptions: command => command.option('--to <revision>', 'to this kept revision instead', parseCount),
  },
];

/** `attache rollout pause|resume|promote|abort|retry|undo NAME|ID`. */
export function defineSteering(
  rollout: Command,
  context: CommandContext,
  finish: (code: number) => void,
): void {
  for (const verb of VERBS) {
    const command = addServerOption(rollout.command(verb.action).description(verb.summary))
      .argument('<name>', 'NAME or NAMESPACE/NAME of the plugin, or the id of a rollout')
      .addHelpText('after', `\nExample:\n  ${verb.example}`)
      .action(async (name: string, options: Options) => {
        const target = parseRolloutTarget(name, options.namespace);
        finish(await steer(toRestClient(options, context), verb.action, target, options, context));
      });
    verb.addOptions?.(command);
    addChangeOptions(addNamespaceOption(command));
  }
}

async function steer(
  client: RestClient,
  action: RolloutAnswer['action'],
  target: RolloutTarget,
  { message, dryRun, full, freeze, to }: Options,
  context: CommandContext,
): Promise<number> {
  const path =
    action === 'undo' ? `${pluginPath(target.plugin)}/undo` : toPath('v1', 'rollouts', target.id, action);
  const body = { message, full, freeze, to };
  const answer = await withNearestPlugin(client, target.plugin, () =>
    client.post<RolloutAnswer>(path + toQuery({ dryRun }), body),
  );
  context.out(describeSteering(answer).join('\n'));
  const goesBack = action === 'undo' || (action === 'abort' && !freeze);
  return goesBack && !dryRun ? followBack(client, answer, context) : EXIT.done;
}
