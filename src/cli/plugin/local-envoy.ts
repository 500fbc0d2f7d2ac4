import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { CliError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { choosePort } from '../demo/free-port.ts';
import { pollUntil } from '../poll.ts';
import { ENVOY_LOG_FORMAT, type EnvoyLogLine, formatEnvoyLogLine, readEnvoyLogLine } from './envoy-log.ts';
import { type PluginBootstrap, toPluginBootstrap } from './plugin-bootstrap.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 5_000;
/** What an Envoy said last, when it ends by itself. */
const LAST_LINES = 6;

/** An Envoy with a plugin in it, that ends with this program. */
export interface LocalEnvoy {
  readonly adminPort: number;
  /** Resolves when it has gone; false: nobody asked for that. */
  readonly ended: Promise<boolean>;
  stop(): Promise<void>;
}

/**
 * Starts an Envoy with a plugin; its log goes to stderr, the plugin's lines to stdout. Resolves when it serves. Throws
 * CliError `envoy-failed` with its last lines where it does not come so far.
 */
export async function startLocalEnvoy(
  program: string,
  of: Omit<PluginBootstrap, 'adminPort'>,
  logLevel: string,
  context: CommandContext,
): Promise<LocalEnvoy> {
  const folder = await mkdtemp(join(tmpdir(), 'attache-envoy-'));
  const adminPort = await choosePort(0);
  const path = join(folder, 'envoy.json');
  await writeFile(path, JSON.stringify(toPluginBootstrap({ ...of, module: resolve(of.module), adminPort })));
  const last: string[] = [];
  let isStopping = false;
  const child = spawnEnvoy(program, path, logLevel);
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = new Promise<boolean>(done => {
    child.once('error', error => {
      last.push(error.message);
      done(isStopping);
    });
    child.once('exit', () => done(isStopping));
  }).finally(async () => {
    process.off('exit', kill);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  readLines(child, line => print(readEnvoyLogLine(line, of.plugin), last, context));
  const stop = async () => {
    isStopping = true;
    child.kill('SIGTERM');
    const timeout = new AbortController();
    const killed = delay(STOP_TIMEOUT_MS, undefined, { signal: timeout.signal }).then(kill, () => false);
    await ended;
    timeout.abort();
    await killed;
  };
  try {
    await awaitReady(adminPort, ended, last);
    return { adminPort, ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A group of its own: Ctrl-C reaches this program alone, which then ends it. */
function spawnEnvoy(program: string, config: string, logLevel: string): ChildProcess {
  const log = [
    '-l',
    'warning',
    '--component-log-level',
    `wasm:${logLevel}`,
    '--log-format',
    ENVOY_LOG_FORMAT,
  ];
  return spawn(program, ['-c', config, '--disable-hot-restart', '--concurrency', '2', ...log], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function readLines(child: ChildProcess, take: (line: string) => void): void {
  for (const stream of [child.stdout, child.stderr])
    if (stream !== null) createInterface({ input: stream }).on('line', take);
}

function print(line: EnvoyLogLine, last: string[], context: CommandContext): void {
  last.push(line.text);
  if (last.length > LAST_LINES) last.shift();
  if (line.isOfPlugin) context.out(formatEnvoyLogLine(line));
  // An Envoy warns of much that does not matter here.
  else if (line.level !== 'warning') context.err(formatEnvoyLogLine(line));
}

async function awaitReady(
  adminPort: number,
  ended: Promise<boolean>,
  last: readonly string[],
): Promise<void> {
  let isGone = false;
  void ended.then(() => {
    isGone = true;
  });
  const { good } = await pollUntil(
    async () => isGone || (await isLive(adminPort)),
    isOver => isOver,
    START_TIMEOUT_MS,
  );
  if (good && !isGone) return;
  const how = isGone ? 'ended when it started' : `does not serve after ${START_TIMEOUT_MS / 1000} s`;
  throw new CliError('envoy-failed', `the Envoy ${how}: ${last.at(-1) ?? 'it said nothing'}`, {
    hint: 'Its lines are above; attache check FILE --config CONFIG tells more of a plugin that it refuses.',
  });
}

async function isLive(adminPort: number): Promise<boolean> {
  try {
    const response = await fetch(`http://127.0.0.1:${adminPort}/ready`, {
      signal: AbortSignal.timeout(1_000),
    });
    return (await response.text()).includes('LIVE');
  } catch {
    return false;
  }
}
