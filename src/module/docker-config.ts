import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { toMessage } from '../model/error.ts';
import { DEFAULT_REGISTRY } from '../model/module-reference.ts';
import { ModuleError } from './module-error.ts';

/** What one registry knows its user by. */
export type Credential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token. */
  | { readonly kind: 'identity-token'; readonly token: string };

const HELPER_LIMIT_MS = 10_000;

/**
 * The credential that a docker config.json holds for a repository: the longest key of `auths` that begins it, then
 * the helper for its host, then the general helper. Undefined: none, or no such file. Throws `bad-credentials`.
 * https://github.com/docker/cli/blob/master/docs/reference/commandline/config.md
 */
export async function readCredential(
  path: string | undefined,
  host: string,
  repository: string,
): Promise<Credential | undefined> {
  const config = path === undefined ? undefined : await readConfig(path);
  if (path === undefined || config === undefined) return undefined;
  const found = findCredential(config, host, repository, path);
  if (found !== undefined) return found;
  const helper = findHelper(config, host, path);
  return helper === undefined ? undefined : askHelper(helper, host, path);
}

/** The program that keeps the credentials of a host; undefined: the file itself. Throws `bad-credentials`. */
export function findHelper(
  config: Readonly<Record<string, unknown>>,
  host: string,
  path: string,
): string | undefined {
  const helpers = isObject(config.credHelpers) ? config.credHelpers : {};
  const name = Object.hasOwn(helpers, host) ? helpers[host] : config.credsStore;
  if (name === undefined || name === '') return undefined;
  if (typeof name === 'string' && /^[A-Za-z0-9-]+$/.test(name)) return `docker-credential-${name}`;
  throw bad(path, `${JSON.stringify(name)} is no name of a credential helper`);
}

/** The same of the `auths` alone; runs no program. `where` is named in errors. */
export function findCredential(
  config: { readonly auths?: unknown },
  host: string,
  repository: string,
  where: string,
): Credential | undefined {
  const found = findAuth(config, host, repository);
  return found === undefined ? undefined : toCredential(found.key, found.value, where);
}

/** Undefined: no such file. Throws `bad-credentials`. */
export async function readConfig(path: string): Promise<Readonly<Record<string, unknown>> | undefined> {
  try {
    const value: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (isObject(value)) return value;
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw bad(path, toMessage(cause), cause);
  }
  throw bad(path, 'it is not a JSON object');
}

function findAuth(
  config: { readonly auths?: unknown },
  host: string,
  repository: string,
): { readonly key: string; readonly value: Readonly<Record<string, unknown>> } | undefined {
  const auths = isObject(config.auths) ? config.auths : {};
  const wanted = `${host}/${repository}/`;
  const matches = Object.entries(auths).flatMap(([key, value]) =>
    // Credential helpers leave empty entries behind.
    wanted.startsWith(`${normalizeKey(key)}/`) && isObject(value) && Object.keys(value).length > 0
      ? [{ key, value }]
      : [],
  );
  return matches.sort((a, b) => normalizeKey(b.key).length - normalizeKey(a.key).length)[0];
}

/** `https://host/v2/` and `host` are one; the default registry's old name is its own. */
export function normalizeKey(key: string): string {
  const bare = key
    .replace(/^https?:\/\//, '')
    .replace(/\/(v1|v2)?\/?$/, '')
    .replace(/\/$/, '');
  return bare === `index.${DEFAULT_REGISTRY}` ? DEFAULT_REGISTRY : bare;
}

function toCredential(key: string, value: Readonly<Record<string, unknown>>, path: string): Credential {
  const { identitytoken, auth, username, password } = value;
  if (typeof identitytoken === 'string' && identitytoken !== '')
    return { kind: 'identity-token', token: identitytoken };
  if (typeof username === 'string' && typeof password === 'string')
    return { kind: 'basic', username, password };
  const text = typeof auth === 'string' ? Buffer.from(auth, 'base64').toString('utf8') : '';
  const colon = text.indexOf(':');
  if (colon < 1) throw bad(path, `auths ${JSON.stringify(key)} has neither auth nor username and password`);
  return {
    kind: 'basic',
    username: text.slice(0, colon),
    password: text.slice(colon + 1).replace(/\0+$/, ''),
  };
}

/** What a host is called in `auths` and by helpers: the default registry has a name of its own. */
export function toCredentialKey(host: string): string {
  return host === DEFAULT_REGISTRY ? `https://index.${DEFAULT_REGISTRY}/v1/` : host;
}

async function askHelper(program: string, host: string, path: string): Promise<Credential | undefined> {
  const text = await runHelper(program, 'get', toCredentialKey(host), path);
  if (text === undefined) return undefined;
  const { Username, Secret } = parseAnswer(text, program, path);
  if (typeof Username !== 'string' || typeof Secret !== 'string')
    throw bad(path, `${program} gave no Username and Secret`);
  return Username === '<token>'
    ? { kind: 'identity-token', token: Secret }
    : { kind: 'basic', username: Username, password: Secret };
}

function parseAnswer(text: string, program: string, path: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw bad(path, `${program}: ${toMessage(error)}`, error);
  }
}

/**
 * What a helper prints; undefined: it knows no such host. Throws `bad-credentials`.
 * https://github.com/docker/docker-credential-helpers
 */
export function runHelper(
  program: string,
  action: 'get' | 'store' | 'erase',
  input: string,
  path: string,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, [action], { timeout: HELPER_LIMIT_MS }, (cause, stdout) => {
      if (cause === null) return resolve(stdout);
      if (/credentials not found/i.test(stdout)) return resolve(undefined);
      reject(bad(path, `${program}: ${toMessage(cause)}`, cause));
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function bad(path: string, why: string, cause?: unknown): ModuleError {
  return new ModuleError('bad-credentials', `registry credentials in ${path}: ${why}`, {
    cause,
    hint: 'Log in again (attache registry login, docker login), or correct the file.',
  });
}
