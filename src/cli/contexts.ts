import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { toMessage } from '../model/error.ts';
import { CliError } from './cli-error.ts';

/** A server under a name, and how to talk to it. Paths are absolute. */
export interface ServerContext {
  readonly server: string;
  /** Holds the token; the token itself is never written here. */
  readonly tokenFile?: string;
  /** PEM of the CA that signed the server's certificate. */
  readonly caFile?: string;
}

/** The servers that a person talks to. */
export interface Contexts {
  /** The name of the one that is used where none is named. */
  readonly current?: string;
  readonly contexts: Readonly<Record<string, ServerContext>>;
}

type Env = Readonly<Record<string, string | undefined>>;

/** `$XDG_CONFIG_HOME/attache/contexts.json`, by default below ~/.config. */
export function toContextsPath(env: Env): string {
  const config = env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config');
  return join(config, 'attache', 'contexts.json');
}

/** No contexts where there is no file. Throws CliError `bad-file`. */
export function readContexts(env: Env): Contexts {
  const path = toContextsPath(env);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && ['ENOENT', 'ENOTDIR'].includes(String(cause.code)))
      return { contexts: {} };
    throw new CliError('bad-file', `${path}: ${toMessage(cause)}`, { cause });
  }
  const value = parse(text);
  if (value === undefined)
    throw new CliError('bad-file', `${path}: not a file of contexts`, {
      hint: 'Correct it, or take it away and set the contexts again: attache context set NAME --server URL',
    });
  return value;
}

/** Replaces the file as a whole; nobody else may read it. */
export function writeContexts(env: Env, contexts: Contexts): void {
  const path = toContextsPath(env);
  const partial = `${path}.${process.pid}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(partial, `${JSON.stringify(contexts, null, 2)}\n`, { mode: 0o600 });
    chmodSync(partial, 0o600);
    renameSync(partial, path);
  } catch (cause) {
    throw new CliError('bad-file', `${path}: ${toMessage(cause)}`, { cause });
  }
}

/** Throws CliError `unknown-context`. */
export function findContext({ contexts }: Contexts, name: string): ServerContext {
  const found = Object.hasOwn(contexts, name) ? contexts[name] : undefined;
  if (found === undefined) throw new CliError('unknown-context', `there is no context ${name}`);
  return found;
}

function parse(text: string): Contexts | undefined {
  try {
    const value = JSON.parse(text) as Partial<Contexts> | null;
    const all = Object.values(value?.contexts ?? {});
    if (value?.contexts === undefined || !all.every(one => typeof one.server === 'string')) return undefined;
    return value as Contexts;
  } catch {
    return undefined;
  }
}
