import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAddress } from '../../config.ts';
import { toBootstrap } from '../bootstrap-document.ts';
import { NO_PROOF } from '../bootstrap-proof.ts';
import { CliError } from '../cli-error.ts';
import { pollUntil } from '../poll.ts';
import { RestClient } from '../rest-client.ts';
import { Child } from './child.ts';
import { type EchoUpstream, startEchoUpstream } from './echo-upstream.ts';
import { choosePort, isPortFree } from './free-port.ts';

/** What the demo starts; `stop` ends it in reverse order and removes the folder. */
export interface DemoWorld {
  readonly directory: string;
  /** Rejects when something that must run has ended. */
  readonly broken: Promise<never>;
  /** Aborted by `stop`: nothing is waited for or started from then on. */
  readonly signal: AbortSignal;
  startControlPlane(): Promise<ServerAddresses>;
  startEnvoy(program: string, server: ServerAddresses): Promise<EnvoyPorts>;
  readonly upstreamPort: number;
  stop(): Promise<void>;
}

export interface ServerAddresses {
  readonly xds: string;
  readonly modules: string;
  readonly api: string;
}

export interface EnvoyPorts {
  readonly listener: number;
  readonly admin: number;
}

export const NODE_ID = 'demo-1';
const LAUNCHER = fileURLToPath(new URL('../../../bin/attache', import.meta.url));
const USUAL_PORTS = 18000;
const USUAL_LISTENER = 10000;
const START_TIMEOUT_MS = 30_000;

/** Makes the folder and the upstream; the rest is started by the story. `portBase`: the first of five ports. */
export async function createDemoWorld(
  env: Readonly<Record<string, string | undefined>>,
  portBase: number | undefined,
): Promise<DemoWorld> {
  const directory = await mkdtemp(join(tmpdir(), 'attache-demo-'));
  const upstream: EchoUpstream = await startEchoUpstream();
  const children: Child[] = [];
  const stopping = new AbortController();
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  const start = (name: string, program: string, args: readonly string[]): Child => {
    stopping.signal.throwIfAborted();
    const options = { logPath: join(directory, `${name}.log`), cwd: directory, env: withoutSettings(env) };
    const child = Child.start(name, program, args, options);
    children.push(child);
    child.ended.catch(error => broken.reject(error));
    return child;
  };
  return {
    directory,
    broken: broken.promise,
    signal: stopping.signal,
    upstreamPort: upstream.port,
    startControlPlane: () => startControlPlane(directory, portBase, start, broken.promise),
    async startEnvoy(program, server) {
      stopping.signal.throwIfAborted();
      return startEnvoy(directory, portBase, program, server, start);
    },
    async stop() {
      stopping.abort();
      for (const child of children.toReversed()) await child.stop();
      await upstream.stop();
      // A file that was being written when all ended may come after the first look.
      await rm(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

type Start = (name: string, program: string, args: readonly string[]) => Child;

async function startControlPlane(
  directory: string,
  portBase: number | undefined,
  start: Start,
  broken: Promise<never>,
): Promise<ServerAddresses> {
  const data = join(directory, 'data');
  const base = portBase ?? USUAL_PORTS;
  const free = await Promise.all([base, base + 1, base + 2].map(isPortFree));
  // Where the usual ports are taken, any will do; asked-for ones are not exchanged silently.
  const [xds, modules, api] =
    free.every(Boolean) || portBase !== undefined ? [base, base + 1, base + 2] : [0, 0, 0];
  const listen = [`--xds-listen=127.0.0.1:${xds}`, `--modules-listen=127.0.0.1:${modules}`];
  const args = ['serve', `--data=${data}`, ...listen, `--api-listen=127.0.0.1:${api}`];
  start('attache', LAUNCHER, args);
  const file = join(data, 'addresses.json');
  const ready = await Promise.race([waitFor(() => existsSync(file)), broken]);
  if (!ready) throw new CliError('demo-failed', 'the control plane did not start in 30 s');
  return JSON.parse(await readFile(file, 'utf8')) as ServerAddresses;
}

async function startEnvoy(
  directory: string,
  portBase: number | undefined,
  program: string,
  server: ServerAddresses,
  start: Start,
): Promise<EnvoyPorts> {
  const listener = await choosePort(portBase === undefined ? USUAL_LISTENER : portBase + 3);
  const admin = await choosePort(portBase === undefined ? 0 : portBase + 4);
  const file = join(directory, 'envoy.yaml');
  await writeFile(file, toBootstrap(NODE_ID, toDemoOptions(server, admin)));
  start('envoy', program, [
    '-c',
    file,
    '--disable-hot-restart',
    '--concurrency',
    '2',
    '--log-level',
    'warning',
  ]);
  return { listener, admin };
}

function toDemoOptions(server: ServerAddresses, adminPort: number): Parameters<typeof toBootstrap>[1] {
  const xds = parseAddress(server.xds);
  const modules = parseAddress(server.modules);
  if (xds === undefined || modules === undefined)
    throw new CliError('demo-failed', `addresses.json: ${JSON.stringify(server)}`);
  const metadata = { id: NODE_ID, cluster: undefined, namespace: undefined, labels: {} };
  const places = { layout: 'chain', plugins: [], unanswered: 'deny', runtimes: [], proof: NO_PROOF } as const;
  return { ...metadata, ...places, adminPort, leanStats: false, xds, modules };
}

async function waitFor(condition: () => boolean): Promise<boolean> {
  return (await pollUntil(async () => condition(), Boolean, START_TIMEOUT_MS)).good;
}

/** The client of the demo's own server, whatever the user's environment names. */
export function toDemoClient(server: ServerAddresses): RestClient {
  return new RestClient({ server: server.api, token: undefined, ca: undefined });
}

/** The user's settings are for the user's own server. */
function withoutSettings(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('ATTACHE_')));
}
