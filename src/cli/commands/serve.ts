import { existsSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  ADMIN_TOKEN_FILE,
  asksTokens,
  type Config,
  type ConfigFlags,
  type Endpoint,
  isLoopback,
  readConfig,
  speaksTls,
} from '../../config.ts';
import { SETTINGS } from '../../settings.ts';
import type { CommandContext, DefineCommand, RunningControlPlane } from '../command-context.ts';
import { EXIT } from '../exit-code.ts';
import { formatSeconds } from '../format.ts';

/** `attache serve`: runs the control plane until SIGINT or SIGTERM; a second signal ends it at once. */
export const define: DefineCommand = (command, context, finish) => {
  command.description('run the control plane');
  command.option('--config <file>', 'settings as YAML (default ./attache.yaml where it exists)');
  for (const setting of SETTINGS) {
    const flag = `--${setting.name} <${setting.value.toLowerCase()}>`;
    if (setting.list)
      command.option(flag, setting.help, (value: string, all: string[] = []) => [...all, value]);
    else command.option(flag, setting.help);
  }
  command.addHelpText(
    'after',
    '\nExample:\n  attache serve --data /var/lib/attache --api-listen 127.0.0.1:0',
  );
  command.action(async () => finish(await serve(toFlags(command.opts()), context)));
};

/** Commander names options in camel case; settings are named with dashes. */
function toFlags(options: Record<string, string | string[]>): ConfigFlags {
  return Object.fromEntries(
    Object.entries(options).map(([key, value]) => [key.replace(/[A-Z]/g, c => `-${c.toLowerCase()}`), value]),
  );
}

async function serve(flags: ConfigFlags, context: CommandContext): Promise<number> {
  const startedAt = performance.now();
  const config = readConfig(flags, context.env);
  const stopping = waitForSignal(context);
  try {
    const isNew = !existsSync(join(config.dataDirectory, 'attache.db'));
    const log = await context.ports.createLog(config.logLevel);
    const running = await context.ports.startControlPlane(config, log);
    context.out(describe(config, running, isNew, context.version));
    context.out(`ready in ${formatSeconds(performance.now() - startedAt)}`);
    context.err(`${await stopping.signalled}: stopping; Envoys go on as they are`);
    // A person who asks twice does not want to wait; the store survives that.
    const forced = stopping.again.then(() => 'forced' as const);
    const outcome = await Promise.race([running.stop().then(() => 'stopped' as const), forced]);
    if (outcome === 'forced') context.exitNow(EXIT.error);
    return EXIT.done;
  } finally {
    stopping.restore();
  }
}

interface Stopping {
  readonly signalled: Promise<string>;
  readonly again: Promise<void>;
  restore(): void;
}

function waitForSignal(context: CommandContext): Stopping {
  const first = Promise.withResolvers<string>();
  const second = Promise.withResolvers<void>();
  let count = 0;
  const restore = context.onSignal(signal => {
    count += 1;
    if (count === 1) first.resolve(signal);
    else second.resolve();
  });
  return { signalled: first.promise, again: second.promise, restore };
}

function describe(config: Config, running: RunningControlPlane, isNew: boolean, version: string): string {
  const { xds, modules, api, metrics } = running.addresses;
  const plain = 'plain text, allowed by --allow-plaintext';
  const notes = {
    xds: `${toTransport(config, 'xds', plain)}${NODE_PROOFS[config.nodeAuth]}`,
    modules: toTransport(config, 'modules', plain),
    api: asksTokens(config) ? toTokenNote(config, plain) : 'no token needed: loopback only',
  };
  return [
    `attache ${version}   data ${toShown(config.dataDirectory)}${isNew ? ' (new)' : ''}`,
    `  xDS      ${xds}   ${notes.xds}`,
    `  modules  ${modules}   ${notes.modules}`,
    `  API      ${api}   ${notes.api}`,
    ...(metrics === undefined
      ? []
      : [`  metrics  http://${metrics}/metrics   plain text, no token asked for`]),
  ]
    .map(line => line.trimEnd())
    .join('\n');
}

const NODE_PROOFS = {
  none: '',
  mtls: '; Envoys show certificates',
  token: '; Envoys show node tokens',
} as const;

function toTransport(config: Config, endpoint: Endpoint, plain: string): string {
  if (speaksTls(config, endpoint)) return 'TLS';
  return isLoopback(config[`${endpoint}Listen`].host) ? 'plain text, loopback only' : plain;
}

/** Somebody has to find the first token. */
function toTokenNote(config: Config, plain: string): string {
  const transport = toTransport(config, 'api', plain);
  const path = join(config.dataDirectory, ADMIN_TOKEN_FILE);
  return `${transport}; ${existsSync(path) ? `admin token in ${toShown(path)}` : 'takes a token'}`;
}

function toShown(path: string): string {
  const fromHere = relative('.', path);
  return fromHere.startsWith('..') ? path : `./${fromHere}`;
}
