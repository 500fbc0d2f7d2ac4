import type { Command } from 'commander';
import type { ModuleView } from '../../api/schema/module-view.ts';
import type { NodeView } from '../../api/schema/node-view.ts';
import type { PluginView } from '../../api/schema/plugin-view.ts';
import type { ResourceView } from '../../api/schema/resource-view.ts';
import { CliError } from '../cli-error.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { formatCount } from '../format.ts';
import { type Listing, MODULES, NODES, PLUGINS, RESOURCES, toTable } from '../listings.ts';
import { parseWord } from '../parse-option.ts';
import type { RestClient } from '../rest-client.ts';
import { toPath } from '../rest-client.ts';
import { formatTable } from '../table.ts';
import { findResourceType } from '../target.ts';
import { toYaml } from '../yaml-splice.ts';

interface Options extends ServerOptions {
  readonly output: Output;
  readonly namespace?: string;
}

const OUTPUTS = ['table', 'wide', 'json', 'yaml', 'name'] as const;
type Output = (typeof OUTPUTS)[number];

/** `attache get plugins|nodes|resources|modules`. */
export const define: DefineCommand = (command, context, finish) => {
  addGetOptions(command.description('list plugins, nodes, resources, modules'))
    .argument('<kind>', 'plugins, nodes, resources, modules; or listeners, clusters, routes …')
    .addHelpText('after', '\nExample:\n  attache get nodes -o wide')
    .action(async (kind: string, options: Options) => finish(await get(kind, options, context)));
};

function addGetOptions(command: Command): Command {
  return addServerOption(command)
    .option('-o, --output <form>', OUTPUTS.join('|'), parseWord(...OUTPUTS), 'table')
    .option('-n, --namespace <ns>', 'only of this namespace (default: all)');
}

async function get(kind: string, options: Options, context: CommandContext): Promise<number> {
  const client = toRestClient(options, context);
  const word = kind.toLowerCase();
  if (word === 'node' || word === 'nodes') {
    const nodes = await list<NodeView>(client, '/v1/nodes');
    const wanted = nodes.filter(node => isIn(options.namespace, node.metadata.namespace));
    show(NODES, wanted, options.output, context);
  } else if (word === 'plugin' || word === 'plugins') {
    const plugins = await list<PluginView>(client, '/v1/plugins');
    const wanted = plugins.filter(plugin => isIn(options.namespace, plugin.metadata.namespace));
    show(PLUGINS, wanted, options.output, context);
    if (options.output === 'table' || options.output === 'wide')
      await noteWithoutPlace(client, wanted, context);
  } else if (word === 'module' || word === 'modules') {
    show(MODULES, await list<ModuleView>(client, '/v1/modules'), options.output, context);
  } else {
    const resources = await listResources(client, word);
    const wanted = resources.filter(resource => isIn(options.namespace, resource.metadata.namespace));
    show(RESOURCES, wanted, options.output, context);
  }
  return EXIT.done;
}

async function listResources(client: RestClient, word: string): Promise<readonly ResourceView[]> {
  if (word === 'resource' || word === 'resources') return list<ResourceView>(client, '/v1/resources');
  const type = findResourceType(word);
  if (type !== undefined) return list<ResourceView>(client, toPath('v1', 'resources', type));
  throw new CliError('bad-usage', `${word}: no such kind`, {
    hint: 'Known: plugins, nodes, resources, modules, listeners, clusters, routes, endpoints, secrets',
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
    const count = formatCount(status.nodes.noPlace, 'node');
    const first = nodes[0]?.node ?? '';
    context.err(`note: ${count} cannot run ${metadata.name}: ${names}. attache describe node ${first}`);
  }
}
