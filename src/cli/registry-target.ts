import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { CliError } from './cli-error.ts';
import { addServerOption, type CommandContext, type ServerOptions } from './command-context.ts';
import { resolveConnection } from './connection.ts';
import { parseNames } from './parse-option.ts';

/** Options of every verb that talks to a registry. */
export interface RegistryOptions extends ServerOptions {
  readonly insecureRegistry?: readonly string[];
}

export function addRegistryOptions(command: Command): Command {
  return addServerOption(command).option(
    '--insecure-registry <host:port>',
    'speak plain HTTP to it (loopback always may)',
    parseNames,
  );
}

/** Something in a registry. */
export interface RegistryTarget {
  /** `HOST[:PORT]/NAME:TAG`, or `HOST[:PORT]/NAME[:TAG]@DIGEST`. */
  readonly reference: string;
  readonly host: string;
  readonly builtIn: boolean;
}

/** What the ports need to reach it. */
export interface RegistryAccess {
  readonly insecureRegistries: readonly string[];
  readonly dockerConfigPath: string;
  readonly ca?: string;
}

const NAME = '[a-z0-9]+([._/-]+[a-z0-9]+)*';
const TAG = '[\\w][\\w.-]{0,127}';
const DIGEST = 'sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}';
const TAGGED = new RegExp(`^${NAME}(:${TAG})?$`);
const PINNED = new RegExp(`^${NAME}(:${TAG})?(@(${DIGEST}))?$`);

/**
 * As docker decides it: what stands before the first slash is a host when it has a dot, a colon, or is localhost;
 * without one it is the built-in registry. With `mayPin` a digest may follow. Throws CliError `bad-usage`.
 */
export function toRegistryTarget(text: string, server: string, mayPin = false): RegistryTarget {
  const bare = text.replace(/^oci:\/\//, '');
  const first = bare.split('/')[0] ?? '';
  const named = bare.includes('/') && (/[.:]/.test(first) || first === 'localhost');
  const host = named ? first : new URL(server).host;
  const rest = named ? bare.slice(first.length + 1) : bare;
  if (!(mayPin ? PINNED : TAGGED).test(rest))
    throw new CliError('bad-usage', `${text}: expected NAME:TAG or HOST:PORT/NAME:TAG`);
  const tagged = rest.includes(':') ? rest : `${rest}:latest`;
  return { reference: `${host}/${tagged}`, host, builtIn: host === new URL(server).host };
}

/** The target and how it is reached: the built-in registry speaks what the API speaks, and takes its token. */
export function openRegistryTarget(
  text: string,
  options: RegistryOptions,
  context: CommandContext,
  mayPin = false,
): RegistryTarget & RegistryAccess & { readonly token?: string } {
  const { server, token } = resolveConnection(options, context.env);
  const target = toRegistryTarget(text, server, mayPin);
  const known = target.builtIn && token !== undefined ? { token } : {};
  return { ...target, ...toRegistryAccess(target, options, context), ...known };
}

/** How a registry is reached: the built-in one speaks what the API speaks, and has its CA. */
export function toRegistryAccess(
  { host, builtIn }: Pick<RegistryTarget, 'host' | 'builtIn'>,
  options: RegistryOptions,
  context: CommandContext,
): RegistryAccess {
  const { server, ca } = resolveConnection(options, context.env);
  const insecure = options.insecureRegistry ?? [];
  return {
    insecureRegistries: builtIn && server.startsWith('http:') ? [...insecure, host] : insecure,
    dockerConfigPath: toDockerConfigPath(context),
    ...(builtIn && ca !== undefined ? { ca } : {}),
  };
}

export function toDockerConfigPath({ env }: CommandContext): string {
  return join(env.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json');
}

/** `the built-in registry`, or its host. */
export function toRegistryName({ builtIn, host }: Pick<RegistryTarget, 'builtIn' | 'host'>): string {
  return builtIn ? 'the built-in registry' : host;
}
