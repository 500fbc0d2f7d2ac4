import type { NodeAnswer } from '../../api/schema/node-view.ts';
import type { DeleteAnswer } from '../../api/schema/plugin-view.ts';
import { CliError } from '../cli-error.ts';
import {
  addMessageOption,
  addNamespaceOption,
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { withNearestNode, withNearestPlugin } from '../nearest.ts';
import { parseDuration } from '../parse-option.ts';
import type { RestClient } from '../rest-client.ts';
import { awaitRollout, createRolloutReader, toTarget } from '../rollout/rollout-target.ts';
import { showRollout } from '../rollout/show-rollout.ts';
import { toWatchLine } from '../rollout/steering.ts';
import { watchRollout } from '../rollout/watch-rollout.ts';
import { parseTarget, type Target } from '../target.ts';

interface Options extends ServerOptions {
  readonly namespace?: string;
  readonly message?: string;
  readonly now?: true;
  readonly wait?: true;
  readonly timeout?: number;
}

const HELP = `
A plugin leaves its nodes in the steps of a rollout; its history is kept for 72 hours, in which
attache rollout undo brings it back.

Example:
  attache delete plugin auth -m "not needed any more" --wait`;

/** `attache delete KIND NAME`. */
export const define: DefineCommand = (command, context, finish) => {
  addMessageOption(
    addNamespaceOption(
      addServerOption(command.description('take a plugin or a resource away, or forget a node')),
    ),
  )
    .argument('<kind>', 'plugin, node, pullsecret, listener, cluster, route, endpoint, secret …')
    .argument('<name>', 'NAME or NAMESPACE/NAME')
    .option('--now', 'a plugin: from all nodes at once')
    .option('--wait', 'a plugin: wait until the rollout ends, and draw it')
    .option('--timeout <duration>', 'with --wait: leave after this time at the latest', parseDuration)
    .addHelpText('after', HELP)
    .action(async (kind: string, name: string, options: Options) => {
      const target = parseTarget(kind, name, options.namespace);
      finish(await remove(toRestClient(options, context), target, options, context));
    });
};

async function remove(
  client: RestClient,
  target: Target,
  options: Options,
  context: CommandContext,
): Promise<number> {
  const query = options.message === undefined ? [] : [`message=${encodeURIComponent(options.message)}`];
  if (options.now) query.push('now=true');
  const path = target.path + (query.length === 0 ? '' : `?${query.join('&')}`);
  if (target.word === 'plugin') return removePlugin(client, target, path, options, context);
  if (options.now || options.wait) throw new CliError('bad-usage', '--now and --wait are for plugins');
  if (target.word === 'node') {
    const { text } = await withNearestNode(client, target.name, () => client.delete<NodeAnswer>(path));
    context.out(text);
  } else context.out((await client.delete<DeleteAnswer>(path)).text);
  return EXIT.done;
}

async function removePlugin(
  client: RestClient,
  target: Target,
  path: string,
  { wait, timeout }: Options,
  context: CommandContext,
): Promise<number> {
  const name = `${target.namespace}/${target.name}`;
  const answer = await withNearestPlugin(client, name, () => client.delete<DeleteAnswer>(path));
  context.out(answer.text);
  if (answer.nodes === 0) return EXIT.done;
  if (!wait) {
    context.out(toWatchLine(name));
    return EXIT.done;
  }
  const newest = toTarget(target);
  if (answer.rollout === null) await awaitRollout(client, newest, timeout);
  const rollout = answer.rollout === null ? newest : { ...newest, id: answer.rollout, byName: false };
  const moments = watchRollout(createRolloutReader(client, rollout), { timeoutMs: timeout });
  return (await showRollout(moments, client.server, context)).code;
}
