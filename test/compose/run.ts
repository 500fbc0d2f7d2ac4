/**
 * `npm run compose:check [-- --no-build]`: brings compose.yaml up under a name of its own, on free ports, lets it
 * tell its story, asks the Envoys from outside, and takes everything down. `--no-build`: with the image that there is.
 *
 * Prints `compose: passed`, `compose: failed: …` (exit code 1), or, where there is nothing to try it with,
 * `compose: not run: …` (exit code 77: neither passed nor failed).
 */
import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

type Command = readonly [string, ...string[]];

const NOT_RUN = 77;
const ENVOYS = ['edge-1', 'edge-2', 'edge-3'];
const STORY_TIMEOUT_MS = 300_000;
const root = fileURLToPath(new URL('../..', import.meta.url));
const env = {
  ...process.env,
  COMPOSE_PROJECT_NAME: `attache-check-${process.pid}`,
  API_PORT: '0',
  EDGE_1_PORT: '0',
  EDGE_2_PORT: '0',
  EDGE_3_PORT: '0',
};
const run = promisify(execFile);

class NotRun extends Error {}

async function main(args: readonly string[]): Promise<number> {
  try {
    await requireEngine();
    await check(await findCompose(), args.includes('--no-build') ? '--no-build' : '--build');
    console.log('compose: passed');
    return 0;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    console.log(`compose: ${error instanceof NotRun ? 'not run' : 'failed'}: ${message}`);
    return error instanceof NotRun ? NOT_RUN : 1;
  }
}

async function requireEngine(): Promise<void> {
  try {
    await run('docker', ['info', '--format', '{{.ServerVersion}}'], { timeout: 30_000 });
  } catch {
    throw new NotRun('no Docker engine; install one (https://docs.docker.com/engine/install), or start it');
  }
}

async function findCompose(): Promise<Command> {
  const known: readonly Command[] = [['docker', 'compose'], ['docker-compose']];
  for (const [program, ...args] of known) {
    const found = await run(program, [...args, 'version'], { timeout: 30_000 }).then(
      () => true,
      () => false,
    );
    if (found) return [program, ...args];
  }
  throw new NotRun('no Docker Compose; install it (https://docs.docker.com/compose/install)');
}

async function check(compose: Command, build: '--build' | '--no-build'): Promise<void> {
  try {
    await show(compose, ['up', '--detach', build]);
    const code = await waitForStory(compose);
    await show(compose, ['logs', '--no-color', 'story']);
    if (code !== '0') {
      await show(compose, ['logs', '--no-color', 'setup', 'control-plane', ...ENVOYS]);
      throw new Error(`the story ended with ${code}`);
    }
    for (const envoy of ENVOYS) await askFromOutside(compose, envoy);
  } finally {
    await show(compose, ['down', '--volumes', '--timeout', '10']);
  }
}

async function waitForStory(compose: Command): Promise<string> {
  const id = await read(compose, ['ps', '--all', '--quiet', 'story']);
  const { stdout } = await run('docker', ['wait', id], { timeout: STORY_TIMEOUT_MS });
  return stdout.trim();
}

async function askFromOutside(compose: Command, envoy: string): Promise<void> {
  const address = await read(compose, ['port', envoy, '10000']);
  const response = await fetch(`http://${address}/`, { signal: AbortSignal.timeout(10_000) });
  const hello = response.headers.get('x-hello');
  console.log(`GET http://${address}/  ->  ${response.status}   x-hello: ${hello}`);
  if (response.status !== 200 || hello !== 'again') throw new Error('expected 200 and x-hello: again');
}

async function read([program, ...first]: Command, args: readonly string[]): Promise<string> {
  const { stdout } = await run(program, [...first, ...args], { cwd: root, env });
  return stdout.trim();
}

/** Runs it with its output shown. */
async function show([program, ...first]: Command, args: readonly string[]): Promise<void> {
  const child = spawn(program, [...first, ...args], { cwd: root, env, stdio: 'inherit' });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`'${[program, ...first, ...args].join(' ')}' ended with ${code}`);
}

process.exitCode = await main(process.argv.slice(2));
