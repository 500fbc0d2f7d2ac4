import { existsSync, statSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import type { PluginDocument } from '../../model/plugin-document.ts';
import { toCanonicalJson } from '../../model/plugin-spec.ts';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { type EchoUpstream, startEchoUpstream } from '../demo/echo-upstream.ts';
import { choosePort } from '../demo/free-port.ts';
import { EXIT } from '../exit-code.ts';
import { readCheckedPlugin } from '../read-checked-plugin.ts';
import { compilePlugin } from './compile-plugin.ts';
import { startLocalEnvoy } from './local-envoy.ts';
import type { PluginBootstrap } from './plugin-bootstrap.ts';

/** A plugin that is to be put into an Envoy of this machine, without a control plane. */
export interface RunInEnvoyOptions {
  /** A .wasm file, or the folder of a plugin, which is built before. */
  readonly plugin: string;
  /** A file with a pluginConfig by itself. */
  readonly config?: string;
  /** A file with a plugin document. */
  readonly document?: string;
  /** Of the listener; default 10000, or any where that is taken. */
  readonly port?: number;
  /** Where requests go; default: an application of our own that answers what it was asked. */
  readonly upstream?: { readonly host: string; readonly port: number };
  readonly logLevel: string;
}

const USUAL_PORT = 10_000;

/**
 * Runs an Envoy with a plugin until it is ended by a signal, which is exit code 0, or ends by itself. Nothing is left then.
 * Throws CliError `envoy-failed`, `bad-file` and what compilePlugin throws.
 */
export async function runInEnvoy(
  program: string,
  options: RunInEnvoyOptions,
  context: CommandContext,
): Promise<number> {
  const interrupted = Promise.withResolvers<'interrupted'>();
  const restore = context.onSignal(() => interrupted.resolve('interrupted'));
  const folder = await mkdtemp(join(tmpdir(), 'attache-plugin-'));
  let echo: EchoUpstream | undefined;
  try {
    const { config, document } = options;
    const { plugin } = readCheckedPlugin({
      ...(config === undefined ? {} : { config }),
      ...(document === undefined ? {} : { plugin: document }),
    });
    const module = await findModule(options.plugin, folder);
    if (options.upstream === undefined) echo = await startEchoUpstream();
    const upstream = options.upstream ?? { host: '127.0.0.1', port: echo?.port ?? 0 };
    const port = options.port ?? (await choosePort(USUAL_PORT));
    const of = { ...toPlugin(options.plugin, plugin), module, port, upstream };
    const envoy = await startLocalEnvoy(program, of, options.logLevel, context);
    context.err(toWelcome(of, envoy.adminPort, options.upstream === undefined));
    const end = await Promise.race([interrupted.promise, envoy.ended]);
    await envoy.stop();
    if (end === 'interrupted') return EXIT.done;
    throw new CliError('envoy-failed', 'the Envoy ended by itself', { hint: 'Its lines are above.' });
  } finally {
    await echo?.stop();
    await rm(folder, { recursive: true, force: true });
    restore();
  }
}

async function findModule(what: string, folder: string): Promise<string> {
  if (!existsSync(what)) throw new CliError('bad-file', `${what}: there is no such file`);
  if (!statSync(what).isDirectory()) return what;
  const path = join(folder, 'plugin.wasm');
  await writeFile(path, await compilePlugin(what));
  return path;
}

/** As the document says; named as its file is. */
function toPlugin(
  what: string,
  document: PluginDocument,
): Pick<PluginBootstrap, 'plugin' | 'pluginName' | 'pluginConfig' | 'env'> {
  const { pluginConfig, pluginName = '', env = [] } = document;
  return {
    plugin: basename(resolve(what)).replace(/\.wasm$/, ''),
    pluginName,
    pluginConfig: pluginConfig === undefined ? '' : toCanonicalJson(pluginConfig),
    env: Object.fromEntries(env.map(({ name, value = '' }) => [name, value])),
  };
}

function toWelcome(
  { plugin, port }: { plugin: string; port: number },
  adminPort: number,
  isEcho: boolean,
): string {
  return [
    `${plugin} runs in an Envoy: curl -i http://127.0.0.1:${port}/`,
    ...(isEcho
      ? ['behind it: an application that answers 200 and what it was asked (--upstream HOST:PORT for yours)']
      : []),
    `its admin page: http://127.0.0.1:${adminPort}   Ctrl-C ends it, nothing is left`,
  ].join('\n');
}
