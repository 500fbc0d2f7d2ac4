import type { NodeAnswer } from '../../api/schema/node-view.ts';
import type { Plan } from '../../api/schema/plan-view.ts';
import type { DeleteAnswer } from '../../api/schema/plugin-view.ts';
import { addChangeOptions, type ChangeOptions, toQuery } from '../change-options.ts';
import { CliError } from '../cli-error.ts';
import {
  addNamespaceOption,
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { localizeTimes } from '../format.ts';
import { withNearestNode, withNearestPlugin } from '../nearest.ts';
import { parseDuration } from '../parse-option.ts';
import { describePlan, listPlanWarnings } from '../plan-text.ts';
import type { RestClient } from '../rest-client.ts';
import { awaitRollout, createRolloutReader, toTarget } from '../rollout/rollout-target.ts';
import { showRollout } from '../rollout/show-rollout.ts';
import { toWatchLine } from '../rollout/steering.ts';
import { watchRollout } from '../rollout/watch-rollout.ts';
import { findResourceType, parseTarget, type Target } from '../target.ts';
import { wrapWarning } from '../warning.ts';

interface Options extends ServerOptions, ChangeOptions {
  readonly namespace?: string;
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
  addChangeOptions(
    addNamespaceOption(
      addServerOption(command.description('take a plugin or a resource away, or forget a node')),
    ),
  )
    .argument('<kind>', 'plugin, node, nodegroup, pullsecret, listener, cluster, route, endpoint, secret …')
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
  const { message, now, dryRun, wait } = options;
  const isPlugin = target.word === 'plugin';
  if (options.timeout !== undefined && !wait)
    throw new CliError('bad-usage', '--timeout goes with --wait: without it nothing is waited for');
  if ((now || wait) && !isPlugin) throw new CliError('bad-usage', '--now and --wait are for plugins');
  // What Envoys would get is planned; of what no Envoy gets, the server says whether it would take the change.
  const type = findResourceType(target.word);
  if (dryRun && (isPlugin || type !== undefined)) return planRemoval(client, target, options, context);
  const path = target.path + toQuery({ message, now, dryRun });
  if (isPlugin) return removePlugin(client, target, path, options, context);
  if (target.word === 'node') {
    const { text } = await withNearestNode(client, target.name, () => client.delete<NodeAnswer>(path));
    context.out(text);
    return EXIT.done;
  }
  // A listener that carries traffic is told of before it goes.
  if (type !== undefined) tellWarnings(await planDeletion(client, target, type), context);
  context.out((await client.delete<DeleteAnswer>(path)).text);
  return EXIT.done;
}

/** As `attache apply --dry-run`. */
async function planRemoval(
  client: RestClient,
  target: Target,
  { now, wait }: Options,
  context: CommandContext,
): Promise<number> {
  if (wait) throw new CliError('bad-usage', '--dry-run changes nothing that one could wait for');
  const plan = await planDeletion(client, target, findResourceType(target.word), now);
  tellWarnings(plan, context);
  context.out(describePlan(plan, Date.now()).join('\n'));
  return EXIT.done;
}

/** `type` undefined: a plugin. */
function planDeletion(
  client: RestClient,
  { namespace, name }: Target,
  type: string | undefined,
  now?: true,
): Promise<Plan> {
  const what = type === undefined ? { kind: 'Plugin' } : { kind: 'EnvoyResource', type };
  return client.post<Plan>('/v1/plans', [{ delete: { ...what, namespace, name, ...(now ? { now } : {}) } }]);
}

function tellWarnings(plan: Plan, context: CommandContext): void {
  for (const warning of listPlanWarnings(plan)) context.err(localizeTimes(wrapWarning(warning), Date.now()));
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
