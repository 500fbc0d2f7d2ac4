import { readFileSync } from 'node:fs';
import type { NodeToken } from '../../api/schema/node-view.ts';
import { toMessage } from '../../model/error.ts';
import { type BootstrapOptions, toBootstrap } from '../bootstrap-document.ts';
import { manageBootstrap } from '../bootstrap-from.ts';
import type { PlaceLayout, Unanswered } from '../bootstrap-parts.ts';
import { describeManaged } from '../bootstrap-summary.ts';
import { CliError } from '../cli-error.ts';
import {
  addServerOption,
  type CommandContext,
  type DefineCommand,
  type ServerOptions,
  toRestClient,
} from '../command-context.ts';
import { findEnvoyAddresses } from '../envoy-addresses.ts';
import { findOwnEnvoy, readEnvoyVersion } from '../envoy-binary.ts';
import { EXIT } from '../exit-code.ts';
import { parseLabel, parseNames, parsePort, parseWord } from '../parse-option.ts';
import { readStdin } from '../read-stdin.ts';
import { type ProofOptions, resolveProof } from '../resolve-proof.ts';
import { type RestClient, toPath } from '../rest-client.ts';
import { describeMoved, writeMoved } from '../write-moved.ts';

interface Options extends ServerOptions, ProofOptions {
  readonly id?: string;
  readonly from?: string;
  readonly moveListeners?: string;
  readonly cluster?: string;
  readonly namespace?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly adminPort?: number;
  readonly leanStats?: true;
  readonly unanswered?: Unanswered;
  readonly envoyVersion?: string;
  readonly layout?: PlaceLayout;
  readonly plugins?: readonly string[];
  readonly runtime?: readonly string[];
  readonly xdsAddress?: string;
  readonly modulesAddress?: string;
}

const EXAMPLES = `
Examples:
  attache bootstrap --from envoy.yaml --id laptop > managed.yaml
  attache bootstrap --from envoy.yaml --id edge-1 --label role=edge --move-listeners listeners > managed.yaml`;

/** `attache bootstrap`: a bootstrap of our own, or the user's with what Attaché needs. */
export const define: DefineCommand = (command, context, finish) => {
  addServerOption(command.description('print an Envoy bootstrap'))
    .option('--id <id>', 'node.id; required without --from')
    .option('--from <file>', "the user's own bootstrap, to be kept as it is and completed")
    .option('--move-listeners <dir>', 'with --from: take its listeners out, as documents for apply')
    .option('--cluster <name>', 'node.cluster (default: the id)')
    .option('-n, --namespace <ns>', 'namespace of the node (default "default")')
    .option('--label <key=value>', 'a label that selectors can match; repeat it for more', parseLabel)
    .option('--admin-port <port>', 'admin interface on 127.0.0.1 (default: none)', parsePort)
    .option('--lean-stats', 'report only what Attaché reads; not with --from')
    .option(
      '--unanswered <deny|allow>',
      'places before the first answer (default deny)',
      parseWord('deny', 'allow'),
    )
    .option('--envoy-version <version>', 'Envoy that will run it (default: the one found, else 1.40)')
    .option(
      '--layout <chain|single>',
      'places of Envoy 1.39 and later, or of older ones',
      parseWord('chain', 'single'),
    )
    .option(
      '--plugins <names>',
      'before Envoy 1.39: plugins that get a place each, comma-separated',
      parseNames,
    )
    .option('--runtime <names>', 'runtimes that it asks for, comma-separated (default: none)', parseNames)
    .option('--xds-address <host:port>', 'where the Envoy finds xDS (default: ask the server)')
    .option('--modules-address <host:port>', 'where the Envoy finds modules (default: ask the server)')
    .option('--tls-ca <file>', 'CA of the server’s certificate, a path on the machine of the Envoy')
    .option('--tls-cert <file>', 'certificate of the node, a path there')
    .option('--tls-key <file>', 'its key, a path there')
    .option('--node-token <token>', 'what proves the node (default: ask the server, where it takes tokens)')
    .addHelpText('after', EXAMPLES)
    .action(async (options: Options) => finish(await bootstrap(options, context)));
};

async function bootstrap(options: Options, context: CommandContext): Promise<number> {
  const { from, id } = options;
  if (from !== undefined && options.leanStats)
    throw new CliError('bad-usage', '--lean-stats with --from would remove your own metrics');
  if (from === undefined && options.moveListeners !== undefined)
    throw new CliError('bad-usage', '--move-listeners takes the listeners of a file: name it with --from');
  const given = { xds: options.xdsAddress, modules: options.modulesAddress };
  const client = toRestClient(options, context);
  const addresses = await findEnvoyAddresses(client, given);
  const proof = await resolveProof(options, addresses.needs, () => askToken(client, id));
  const resolved = await resolveOptions(options, { ...addresses, proof }, context);
  if (from === undefined) {
    if (id === undefined) throw new CliError('bad-usage', 'name the node: --id ID');
    context.out(toBootstrap(id, resolved).trimEnd());
  } else {
    const folder = options.moveListeners;
    const plan = folder === undefined ? 'places' : 'move';
    const managed = manageBootstrap(readText(from), from, resolved, plan);
    const written = folder === undefined ? [] : writeMoved(folder, managed.moved);
    context.out(managed.text.replace(/\n$/, ''));
    context.err(describeManaged(from, managed, resolved));
    if (folder !== undefined && written.length > 0)
      context.err(describeMoved(folder, written, Object.keys(resolved.labels).length > 0));
  }
  if (addresses.note !== undefined) context.err(`note    ${addresses.note}`);
  return EXIT.done;
}

async function resolveOptions(
  options: Options,
  { xds, modules, proof }: Pick<BootstrapOptions, 'xds' | 'modules' | 'proof'>,
  context: CommandContext,
): Promise<BootstrapOptions> {
  const plugins = options.plugins ?? [];
  const layout = options.layout ?? (plugins.length > 0 ? 'single' : await findLayout(options, context));
  if (layout === 'chain' && plugins.length > 0)
    throw new CliError(
      'bad-usage',
      '--plugins names places of Envoys before 1.39; it needs no --layout chain',
    );
  return {
    id: options.id,
    cluster: options.cluster,
    namespace: options.namespace,
    labels: options.label ?? {},
    adminPort: options.adminPort,
    leanStats: options.leanStats ?? false,
    xds,
    modules,
    layout,
    plugins,
    unanswered: options.unanswered ?? 'deny',
    runtimes: options.runtime ?? [],
    proof,
  };
}

async function askToken(client: RestClient, id: string | undefined): Promise<string> {
  if (id === undefined)
    throw new CliError(
      'bad-usage',
      'the server takes node tokens: name the node, --id ID, or the token, --node-token TOKEN',
    );
  return (
    await client.post<NodeToken & { readonly token: string }>(toPath('v1', 'nodes', id, 'token'), undefined)
  ).token;
}

/** Only a bootstrap with places depends on the Envoy; a program that does not run says nothing. */
async function findLayout(options: Options, context: CommandContext): Promise<PlaceLayout> {
  if (options.from === undefined) return 'chain';
  const own = options.envoyVersion === undefined ? await findOwnEnvoy(context.env) : undefined;
  const version = options.envoyVersion ?? (own === undefined ? '1.40' : await readEnvoyVersion(own));
  const [major, minor] = version.split('.').map(Number);
  if (major === undefined || minor === undefined || Number.isNaN(major + minor))
    throw new CliError('bad-usage', `Envoy version ${version}: expected e.g. 1.40.0`);
  return major > 1 || minor >= 39 ? 'chain' : 'single';
}

function readText(path: string): string {
  try {
    return path === '-' ? readStdin() : readFileSync(path, 'utf8');
  } catch (cause) {
    throw new CliError('bad-file', `${path}: ${toMessage(cause)}`, { cause });
  }
}
