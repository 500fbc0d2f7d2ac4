import { randomBytes } from 'node:crypto';
import { mkdir, realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { toMessage } from '../model/error.ts';
import { findHelper, normalizeKey, readConfig, runHelper, toCredentialKey } from './docker-config.ts';
import { writeFileDurably } from './durable-file.ts';
import { ModuleError } from './module-error.ts';

/** A user of a registry. */
export interface Login {
  readonly username: string;
  readonly password: string;
}

/** Where something is kept: the program of a credential helper, or the path of the file. */
export type KeptWhere = string;

/**
 * Keeps a login as docker does: with the credential helper that the file names for the host, else in the file. All
 * else in the file stays. Throws `bad-credentials`.
 */
export async function storeLogin(path: string, host: string, login: Login): Promise<KeptWhere> {
  const config = (await readConfig(path)) ?? {};
  const key = toCredentialKey(host);
  const helper = findHelper(config, host, path);
  if (helper === undefined) {
    const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');
    await writeConfig(path, { ...config, auths: { ...withoutHost(config, host), [key]: { auth } } });
    return path;
  }
  const entry = { ServerURL: key, Username: login.username, Secret: login.password };
  await runHelper(helper, 'store', JSON.stringify(entry), path);
  // An entry of the file would win over the helper; an empty one says that there is a login.
  await writeConfig(path, { ...config, auths: { ...withoutHost(config, host), [key]: {} } });
  return helper;
}

/** Undefined: there was none. Throws `bad-credentials`. */
export async function eraseLogin(path: string, host: string): Promise<KeptWhere | undefined> {
  const config = await readConfig(path);
  if (config === undefined) return undefined;
  const helper = findHelper(config, host, path);
  const key = toCredentialKey(host);
  const wasKept = helper !== undefined && (await runHelper(helper, 'get', key, path)) !== undefined;
  if (helper !== undefined && wasKept) await runHelper(helper, 'erase', key, path);
  const rest = withoutHost(config, host);
  const wasWritten = Object.keys(rest).length < Object.keys(readAuths(config)).length;
  if (wasWritten) await writeConfig(path, { ...config, auths: rest });
  if (wasKept) return helper;
  return wasWritten ? path : undefined;
}

function readAuths(config: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { auths } = config;
  return typeof auths === 'object' && auths !== null ? (auths as Record<string, unknown>) : {};
}

/** Without what stands for all of the host, however it is written. */
function withoutHost(
  config: Readonly<Record<string, unknown>>,
  host: string,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(readAuths(config)).filter(([key]) => normalizeKey(key) !== host));
}

async function writeConfig(path: string, config: object): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // A link stays a link.
    const target = await realpath(path).catch(() => path);
    await writeFileDurably(target, `${JSON.stringify(config, null, '\t')}\n`, randomBytes(4).toString('hex'));
  } catch (cause) {
    throw new ModuleError('bad-credentials', `registry credentials in ${path}: ${toMessage(cause)}`, {
      cause,
      hint: 'Correct the file, or name another folder: DOCKER_CONFIG=DIR',
    });
  }
}
