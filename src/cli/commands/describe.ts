import type { ModuleView } from '../../api/schema/module-view.ts';
import type { NodeGroupView } from '../../api/schema/node-group-view.ts';
import type { NodeView } from '../../api/schema/node-view.ts';
import type { PluginView } from '../../api/schema/plugin-view.ts';
import type { PullSecretView } from '../../api/schema/pull-secret-view.ts';
import type { ResourceView } from '../../api/schema/resource-view.ts';
import type { RolloutHistory } from '../../api/schema/rollout-view.ts';
import { CliError } from '../cli-error.ts';
import {
  addNamespaceOption,
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import {
  describeModule,
  describeNodeGroup,
  describePullSecret,
  describeResource,
} from '../describe-stored.ts';
import { describeNode, describePlugin, describeRollout } from '../describe-text.ts';
import { EXIT } from '../exit-code.ts';
import { withNearestNode, withNearestPlugin } from '../nearest.ts';
import { paintStates } from '../paint.ts';
import { parseWord } from '../parse-option.ts';
import { printAs } from '../print-as.ts';
import { readList } from '../read-list.ts';
import type { RestClient } from '../rest-client.ts';
import { parseRolloutTarget, pluginPath, readRollout } from '../rollout/rollout-target.ts';
import { parseTarget } from '../target.ts';

interface Options extends ServerOptions {
  readonly namespace?: string;
  readonly output?: 'json' | 'yaml';
}

/** `attache describe KIND NAME`. */
export const define: DefineCommand = (command, context, finish) => {
  addNamespaceOption(addServerOption(command.description('tell all about one thing')))
    .argument('<kind>', 'plugin, node, nodegroup, rollout, module, pullsecret, listener, cluster, route …')
    .argument('<name>', 'NAME or NAMESPACE/NAME; of a rollout its id or its plugin; of a module its digest')
    .option('-o, --output <form>', 'json|yaml: as data', parseWord('json', 'yaml'))
    .addHelpText(
      'after',
      '\nExamples:\n  attache describe plugin auth\n  attache describe module 9f2c4be01d77',
    )
    .action(async (kind: string, name: string, options: Options) => {
      const { view, text } = await look(toRestClient(options, context), kind, name, options.namespace);
      print(view, text, options, context);
      finish(EXIT.done);
    });
};

/** What the server says, and how a person reads it at a time. */
interface Described {
  readonly view: unknown;
  text(nowMs: number): string;
}

function print(view: unknown, text: Described['text'], { output }: Options, context: CommandContext): void {
  if (output === undefined) context.out(paintStates(text(Date.now()), context.screen));
  else printAs(output, view, context);
}

async function look(
  client: RestClient,
  kind: string,
  name: string,
  namespace: string | undefined,
): Promise<Described> {
  if (/^rollouts?$/i.test(kind)) return lookAtRollout(client, name, namespace);
  if (/^modules?$/i.test(kind)) {
    const view = await findModule(client, name);
    return { view, text: now => describeModule(view, now) };
  }
  const target = parseTarget(kind, name, namespace);
  switch (target.word) {
    case 'node': {
      const view = await withNearestNode(client, name, () => client.get<NodeView>(target.path));
      return { view, text: now => describeNode(view, now) };
    }
    case 'plugin': {
      const full = `${target.namespace}/${target.name}`;
      const view = await withNearestPlugin(client, full, () => client.get<PluginView>(target.path));
      const { items } = await client.get<RolloutHistory>(`${target.path}/rollouts`);
      return { view, text: now => describePlugin(view, items, now) };
    }
    case 'nodegroup': {
      const view = await client.get<NodeGroupView>(target.path);
      return { view, text: now => describeNodeGroup(view, now) };
    }
    case 'pullsecret': {
      const view = await client.get<PullSecretView>(target.path);
      return { view, text: now => describePullSecret(view, now) };
    }
    default: {
      const view = await client.get<ResourceView>(target.path);
      return { view, text: now => describeResource(view, now) };
    }
  }
}

async function lookAtRollout(
  client: RestClient,
  name: string,
  namespace: string | undefined,
): Promise<Described> {
  const view = await readRollout(client, parseRolloutTarget(name, namespace));
  const { items } = await client.get<RolloutHistory>(`${pluginPath(view.plugin)}/rollouts`);
  const row = items.find(({ rollout }) => rollout === view.id);
  return { view, text: now => describeRollout(view, row, now) };
}

/** By its digest, or the begin of it that tables show. */
async function findModule(client: RestClient, name: string): Promise<ModuleView> {
  const begin = name.replace(/^sha256:/, '').toLowerCase();
  const all = (await readList(client, '/v1/modules')) as readonly ModuleView[];
  const found = all.filter(({ sha256 }) => sha256.startsWith(begin));
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new CliError(
    'bad-usage',
    `${found.length === 0 ? 'no' : 'more than one'} module begins with ${name}`,
    {
      hint: 'attache get modules lists them.',
    },
  );
}
