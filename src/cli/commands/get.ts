import type { NodeView } from '../../api/schema/node-view.ts';
import type { PluginView } from '../../api/schema/plugin-view.ts';
import { AttacheError } from '../../model/error.ts';
import { findNearestName } from '../../model/nearest-name.ts';
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
import { findKind, KINDS, type Kind } from '../kinds.ts';
import { hasLabels, NODE_ORDERS, type NodeOrder, sortNodes } from '../node-order.ts';
import { paintStates } from '../paint.ts';
import { parseSelector, parseWord } from '../parse-option.ts';
import { readList } from '../read-list.ts';
import { type RestClient, toPath } from '../rest-client.ts';
import { addOutputOption, type Output } from '../show-items.ts';
import { showList } from '../show-list.ts';
import { watchList } from '../watch-list.ts';

interface Options extends ServerOptions {
  readonly output: Output;
  readonly namespace?: string;
  readonly selector?: Readonly<Record<string, string>>;
  readonly sortBy?: NodeOrder;
  readonly watch?: true;
}

const HELP = `
With --watch a terminal shows the list as it changes; a pipe gets it once, and then a line per change.

Examples:
  attache get nodes --selector zone=c --sort-by state
  attache get plugins --watch`;

/** `attache get KIND [NAME]`. */
export const define: DefineCommand = (command, context, finish) => {
  const words = KINDS.map(({ plural }) => plural).join(', ');
  addOutputOption(addServerOption(command.description('list what the server knows')))
    .argument('<kind>', words)
    .argument('[name]', 'only this one: NAME or NAMESPACE/NAME')
    .option('-n, --namespace <ns>', 'only of this namespace (default: all)')
    .option('-l, --selector <k=v>', 'of nodes: only those with these labels', parseSelector)
    .option('--sort-by <what>', `of nodes: ${NODE_ORDERS.join('|')}`, parseWord(...NODE_ORDERS))
    .option('-w, --watch', 'go on showing what changes, until Ctrl-C')
    .addHelpText('after', HELP)
    .action(async (kind: string, name: string | undefined, options: Options) =>
      finish(await get(findKind(kind), name, options, context)),
    );
};

async function get(
  kind: Kind,
  name: string | undefined,
  options: Options,
  context: CommandContext,
): Promise<number> {
  const ofNodes = options.selector !== undefined || options.sortBy !== undefined;
  if (ofNodes && kind.plural !== 'nodes')
    throw new CliError('bad-usage', '--selector and --sort-by are for attache get nodes');
  const client = toRestClient(options, context);
  const read = async () => choose(kind, await readList(client, kind.path), name, options);
  if (options.watch) return watch(kind, client, read, options, context);
  const items = await read();
  const text = kind.format(items, options.output, Date.now());
  const isTable = options.output === 'table' || options.output === 'wide';
  if (text !== '') context.out(isTable ? paintStates(text, context.screen) : text);
  if (kind.plural === 'plugins' && isTable)
    await noteWithoutPlace(client, items as readonly PluginView[], context);
  return EXIT.done;
}

async function watch(
  kind: Kind,
  client: RestClient,
  read: () => Promise<readonly unknown[]>,
  { output }: Options,
  context: CommandContext,
): Promise<number> {
  const stop = new AbortController();
  const restore = context.onSignal(() => stop.abort());
  try {
    await showList(kind, watchList(client, read, stop.signal), output, client.server, context);
    return EXIT.done;
  } finally {
    restore();
  }
}

/** In the order of the server, nodes as they are to be sorted. Throws `not-found` where a name was given. */
function choose(
  kind: Kind,
  all: readonly unknown[],
  name: string | undefined,
  { namespace, selector = {}, sortBy = 'name' }: Options,
): readonly unknown[] {
  const inNamespace = all.filter(item => namespace === undefined || kind.namespaceOf(item) === namespace);
  const items = kind.plural === 'nodes' ? ofNodes(inNamespace, selector, sortBy) : inNamespace;
  if (name === undefined) return items;
  const named = items.filter(item => `/${kind.nameOf(item)}`.endsWith(`/${name}`));
  if (named.length > 0) return named;
  const nearest = findNearestName(
    name,
    items.map(item => kind.nameOf(item).replace(/^.*\//, '')),
  );
  throw new AttacheError('not-found', `${kind.plural}: none is named ${name}`, {
    hint: nearest === undefined ? `attache get ${kind.plural}` : `Did you mean ${nearest}?`,
  });
}

function ofNodes(
  items: readonly unknown[],
  selector: Readonly<Record<string, string>>,
  sortBy: NodeOrder,
): readonly NodeView[] {
  const nodes = items as readonly NodeView[];
  return sortNodes(
    nodes.filter(node => hasLabels(node, selector)),
    sortBy,
  );
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
