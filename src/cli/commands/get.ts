import type { ModuleView } from '../../api/schema/module-view.ts';
import type { NodeView } from '../../api/schema/node-view.ts';
import type { PluginView } from '../../api/schema/plugin-view.ts';
import type { PullSecretView } from '../../api/schema/pull-secret-view.ts';
import type { ResourceView } from '../../api/schema/resource-view.ts';
import type { RolloutView } from '../../api/schema/rollout-view.ts';
import { toCountText } from '../../model/quantity-text.ts';
import { CliError } from '../cli-error.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import {
  type Listing,
  MODULES,
  NODES,
  PLUGINS,
  PULL_SECRETS,
  RESOURCES,
  ROLLOUTS,
  toTable,
} from '../listings.ts';
import { hasLabels, NODE_ORDERS, type NodeOrder, sortNodes } from '../node-order.ts';
import { parseSelector, parseWord } from '../parse-option.ts';
import type { RestClient } from '../rest-client.ts';
import { toPath } from '../rest-client.ts';
import { formatTable } from '../table.ts';
import { findResourceType } from '../target.ts';
import { toYaml } from '../yaml-splice.ts';

interface Options extends ServerOptions {
  readonly output: Output;
  readonly namespace?: string;
  readonly selector?: Readonly<Record<string, string>>;
  readonly sortBy?: NodeOrder;
}

const OUTPUTS = ['table', 'wide', 'json', 'yaml', 'name'] as const;
type Output = (typeof OUTPUTS)[number];

/** `attache get plugins|nodes|rollouts|resources|modules|pullsecrets`. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(command.description('list plugins, nodes, rollouts, resources, modules, pull secrets'))
    .argument('<kind>', 'plugins, nodes, rollouts, resources, modules, pullsecrets; or listeners, clusters …')
    .option('-o, --output <form>', OUTPUTS.join('|'), parseWord(...OUTPUTS), 'table')
    .option('-n, --namespace <ns>', 'only of this namespace (default: all)')
    .option('-l, --selector <k=v>', 'of nodes: only those with these labels', parseSelector)
    .option('--sort-by <what>', `of nodes: ${NODE_ORDERS.join('|')}`, parseWord(...NODE_ORDERS))
    .addHelpText('after', '\nExample:\n  attache get nodes --selector zone=c --sort-by state')
    .action(async (kind: string, options: Options) => finish(await get(kind, options, context)));
};

async function get(kind: string, options: Options, context: CommandContext): Promise<number> {
  const client = toRestClient(options, context);
  const { output, namespace } = options;
  const word = kind.toLowerCase().replace(/s$/, '');
  const ofNodes = options.selector !== undefined || options.sortBy !== undefined;
  if (ofNodes && word !== 'node')
    throw new CliError('bad-usage', '--selector and --sort-by are for attache get nodes');
  switch (word) {
    case 'node': {
      const nodes = await list<NodeView>(client, '/v1/nodes');
      const wanted = nodes
        .filter(node => isIn(namespace, node.metadata.namespace))
        .filter(node => hasLabels(node, options.selector ?? {}));
      show(NODES, sortNodes(wanted, options.sortBy ?? 'name'), output, context);
      break;
    }
    case 'plugin': {
      const plugins = await list<PluginView>(client, '/v1/plugins');
      const wanted = plugins.filter(plugin => isIn(namespace, plugin.metadata.namespace));
      show(PLUGINS, wanted, output, context);
      if (output === 'table' || output === 'wide') await noteWithoutPlace(client, wanted, context);
      break;
    }
    case 'rollout': {
      const rollouts = await list<RolloutView>(client, '/v1/rollouts');
      const wanted = rollouts.filter(({ plugin }) => isIn(namespace, plugin.split('/')[0] ?? ''));
      show(ROLLOUTS, wanted, output, context);
      break;
    }
    case 'module':
      show(MODULES, await list<ModuleView>(client, '/v1/modules'), output, context);
      break;
    case 'pullsecret':
    case 'pull-secret': {
      const secrets = await list<PullSecretView>(client, '/v1/pullsecrets');
      const wanted = secrets.filter(secret => isIn(namespace, secret.metadata.namespace));
      show(PULL_SECRETS, wanted, output, context);
      break;
    }
    default: {
      const resources = await listResources(client, kind.toLowerCase());
      const wanted = resources.filter(resource => isIn(namespace, resource.metadata.namespace));
      show(RESOURCES, wanted, output, context);
    }
  }
  return EXIT.done;
}

async function listResources(client: RestClient, word: string): Promise<readonly ResourceView[]> {
  if (word === 'resource' || word === 'resources') return list<ResourceView>(client, '/v1/resources');
  const type = findResourceType(word);
  if (type !== undefined) return list<ResourceView>(client, toPath('v1', 'resources', type));
  throw new CliError('bad-usage', `${word}: no such kind`, {
    hint: 'Known: plugins, nodes, rollouts, resources, modules, pullsecrets, listeners, clusters, routes, endpoints, secrets',
  });
}

async function list<T>(client: RestClient, path: string): Promise<readonly T[]> {
  return (await client.get<{ items: readonly T[] }>(path)).items;
}

function isIn(wanted: string | undefined, namespace: string): boolean {
  return wanted === undefined || wanted === namespace;
}

function show<T>(listing: Listing<T>, items: readonly T[], output: Output, context: CommandContext): void {
  switch (output) {
    case 'table':
    case 'wide':
      context.out(formatTable(toTable(listing, items, Date.now(), output === 'wide')));
      return;
    case 'json':
      context.out(JSON.stringify({ kind: 'List', items }, null, 2));
      return;
    case 'yaml':
      context.out(
        items
          .map(item => toYaml(item))
          .join('---\n')
          .trimEnd(),
      );
      return;
    case 'name':
      if (items.length > 0) context.out(items.map(item => listing.name(item)).join('\n'));
      return;
    default:
      output satisfies never;
  }
}

/** An Envoy without a listener is the trap of every newcomer: it is named below the table. */
async function noteWithoutPlace(
  client: RestClient,
  plugins: readonly PluginView[],
  context: CommandContext,
): Promise<void> {
  for (const { metadata, status } of plugins.filter(plugin => plugin.status.nodes.noPlace > 0)) {
    const view = await client.get<PluginView>(toPath('v1', 'plugins', metadata.namespace, metadata.name));
    const nodes = (view.onNodes ?? []).filter(one => one.reason === 'NoPlace' || one.reason === 'NoV8');
    const names = nodes
      .map(one => one.node)
      .slice(0, 3)
      .join(', ');
    const count = toCountText(status.nodes.noPlace, 'node');
    const first = nodes[0]?.node ?? '';
    context.err(`note: ${count} cannot run ${metadata.name}: ${names}. attache describe node ${first}`);
  }
}
