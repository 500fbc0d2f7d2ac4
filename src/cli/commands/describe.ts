import type { NodeView } from '../../api/schema/node-view.ts';
import type { PluginView } from '../../api/schema/plugin-view.ts';
import type { RolloutHistory } from '../../api/schema/rollout-view.ts';
import {
  addNamespaceOption,
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { describeNode, describePlugin, describeRollout } from '../describe-text.ts';
import { EXIT } from '../exit-code.ts';
import { withNearestNode, withNearestPlugin } from '../nearest.ts';
import { type RestClient, toPath } from '../rest-client.ts';
import { parseRolloutTarget, pluginPath, readRollout } from '../rollout/rollout-target.ts';
import { parseTarget } from '../target.ts';
import { toYaml } from '../yaml-splice.ts';

interface Options extends ServerOptions {
  readonly namespace?: string;
}

/** `attache describe KIND NAME`. */
export const define: DefineCommand = (command, context, finish) => {
  addNamespaceOption(
    addServerOption(command.description('tell all about a plugin, a node, a rollout or a resource')),
  )
    .argument('<kind>', 'plugin, node, rollout, listener, cluster, route …')
    .argument('<name>', 'NAME or NAMESPACE/NAME; of a rollout its id or its plugin')
    .addHelpText('after', '\nExample:\n  attache describe plugin auth')
    .action(async (kind: string, name: string, options: Options) => {
      await describe(toRestClient(options, context), kind, name, options, context);
      finish(EXIT.done);
    });
};

async function describe(
  client: RestClient,
  kind: string,
  name: string,
  { namespace }: Options,
  context: CommandContext,
): Promise<void> {
  if (/^rollouts?$/i.test(kind)) {
    const view = await readRollout(client, parseRolloutTarget(name, namespace));
    const { items } = await client.get<RolloutHistory>(`${pluginPath(view.plugin)}/rollouts`);
    const row = items.find(({ rollout }) => rollout === view.id);
    return context.out(describeRollout(view, row, Date.now()));
  }
  const target = parseTarget(kind, name, namespace);
  if (target.word === 'node') {
    const node = await withNearestNode(client, name, () => client.get<NodeView>(toPath('v1', 'nodes', name)));
    return context.out(describeNode(node, Date.now()));
  }
  if (target.word === 'plugin') {
    const full = `${target.namespace}/${target.name}`;
    const view = await withNearestPlugin(client, full, () => client.get<PluginView>(target.path));
    const { items } = await client.get<RolloutHistory>(`${target.path}/rollouts`);
    return context.out(describePlugin(view, items, Date.now()));
  }
  context.out(toYaml(await client.get<unknown>(target.path)).trimEnd());
}
