import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type Ending, endChild, spawnChild } from './child-process.ts';
import { envoyBinary } from './envoy-binary.ts';
import { LONGEST_MS, until } from './wait.ts';

export interface EnvoyOptions {
  /** An object, or the text of a YAML file; an admin section is set over it unless `keepAdmin`. */
  readonly bootstrap: object | string;
  readonly version?: string;
  /** Threads that serve; default 2. */
  readonly concurrency?: number;
  /** Default 1. */
  readonly drainTimeS?: number;
  /** Added to the environment, e.g. LD_PRELOAD. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default `warning`, with `wasm` at `debug`. */
  readonly logLevel?: string;
}

/** A running Envoy of our own: its own base id, admin on a free port, log in a temporary folder. */
export interface EnvoyProcess {
  readonly pid: number;
  readonly adminPort: number;
  readonly folder: string;
  /** Resolves when it has gone, however. */
  readonly ended: Promise<Ending>;
  /** SIGTERM, and SIGKILL if that is not enough; its folder goes. */
  stop(): Promise<void>;
  kill9(): Promise<void>;
  log(): Promise<string>;
  /** Text of an admin page, e.g. `/config_dump?include_eds`. Throws on anything but 200. */
  admin(path: string, method?: 'GET' | 'POST'): Promise<string>;
  /** All counters and gauges whose name begins with the prefix. */
  stats(prefix?: string): Promise<Record<string, number>>;
  /** One of them; 0 while Envoy does not know it (counters appear when first moved). */
  stat(name: string): Promise<number>;
  configDump(): Promise<{ configs: Record<string, unknown>[] }>;
  /** Until `/ready` says LIVE. */
  waitReady(deadlineMs?: number): Promise<void>;
  isReady(): Promise<boolean>;
  /** Listener name to local port. One that warms for the first time is bound already; requests to it wait. */
  listenerPorts(): Promise<Record<string, number>>;
  /** Waits until the listener is bound and gives its port. */
  listenerPort(name: string, deadlineMs?: number): Promise<number>;
}

export async function startEnvoy(options: EnvoyOptions): Promise<EnvoyProcess> {
  const program = await envoyBinary(options.version ?? '1.40.0');
  const folder = await mkdtemp(join(tmpdir(), 'attache-envoy-'));
  const path = (name: string) => join(folder, name);
  await writeFile(path('envoy.yaml'), withAdmin(options.bootstrap));
  const console = await open(path('console.log'), 'w');
  const { child, ended } = spawnChild(program, toArguments(options, path), {
    stdio: ['ignore', console.fd, console.fd],
    env: { ...process.env, ...options.env },
    cwd: folder,
  });
  await console.close();
  const log = () => readFile(path('console.log'), 'utf8');
  const adminPort = await findAdminPort(path('admin'), ended, log).catch(async error => {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
    throw error;
  });
  const process_ = { pid: child.pid ?? 0, adminPort, folder, ended, log };
  let gone = false;
  return {
    ...process_,
    ...readsOf(adminPort),
    async stop() {
      if (gone) return;
      gone = true;
      await endChild({ child, ended }, 10_000);
      await rm(folder, { recursive: true, force: true });
    },
    async kill9() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

function withAdmin(bootstrap: object | string): string {
  // Appended to a text: a user's file is used as it was printed.
  if (typeof bootstrap === 'string')
    return bootstrap.includes('\nadmin:')
      ? bootstrap
      : `${bootstrap}\nadmin: ${stringify(ADMIN, { collectionStyle: 'flow' })}`;
  return stringify({ ...bootstrap, admin: ADMIN }, { aliasDuplicateObjects: false });
}

const ADMIN = { address: { socket_address: { address: '127.0.0.1', port_value: 0 } } };

function toArguments(options: EnvoyOptions, path: (name: string) => string): string[] {
  return [
    ['-c', path('envoy.yaml')],
    '--use-dynamic-base-id',
    ['--concurrency', String(options.concurrency ?? 2)],
    ['--admin-address-path', path('admin')],
    ['--drain-time-s', String(options.drainTimeS ?? 1)],
    ['--parent-shutdown-time-s', String((options.drainTimeS ?? 1) + 1)],
    ['--log-level', options.logLevel ?? 'warning'],
    ['--component-log-level', 'wasm:debug,config:info'],
  ].flat();
}

async function findAdminPort(
  file: string,
  ended: Promise<Ending>,
  log: () => Promise<string>,
): Promise<number> {
  let ending: Ending | undefined;
  ended.then(
    value => {
      ending = value;
    },
    () => {},
  );
  const address = await until(
    async () => {
      if (ending !== undefined) return 'ended';
      return /:(\d+)\s*$/.test(await readFile(file, 'utf8')) && readFile(file, 'utf8');
    },
    { what: 'the Envoy to open its admin port' },
  );
  if (address === 'ended') throw new Error(`the Envoy did not start:\n${(await log()).slice(-2_000)}`);
  return Number(address.trim().split(':').at(-1));
}

function readsOf(adminPort: number) {
  const admin = async (path: string, method: 'GET' | 'POST' = 'GET') => {
    const response = await fetch(`http://127.0.0.1:${adminPort}${path}`, {
      method,
      signal: AbortSignal.timeout(LONGEST_MS),
    });
    const text = await response.text();
    if (response.status !== 200) throw new Error(`admin ${path}: ${response.status} ${text}`);
    return text;
  };
  const stats = async (prefix = '') =>
    parseStats(await admin(`/stats?filter=${encodeURIComponent(`^${prefix.replaceAll('.', '\\.')}`)}`));
  const isReady = () =>
    admin('/ready').then(
      text => text.startsWith('LIVE'),
      () => false,
    );
  const listenerPorts = async () => parseListeners(await admin('/listeners?format=json'));
  return {
    admin,
    stats,
    stat: async (name: string) => (await stats(name))[name] ?? 0,
    configDump: async () => JSON.parse(await admin('/config_dump')),
    isReady,
    waitReady: async (deadlineMs = LONGEST_MS) => {
      await until(isReady, { what: 'the Envoy to be ready', deadlineMs });
    },
    listenerPorts,
    listenerPort: (name: string, deadlineMs = LONGEST_MS) =>
      until(async () => (await listenerPorts())[name], { what: `listener ${name}`, deadlineMs }),
  };
}

function parseStats(text: string): Record<string, number> {
  const rows = text.split('\n').map(line => /^(\S+): (\d+)$/.exec(line));
  return Object.fromEntries(rows.flatMap(row => (row ? [[row[1], Number(row[2])]] : [])));
}

interface ListenerStatus {
  readonly name: string;
  readonly local_address?: { readonly socket_address?: { readonly port_value?: number } };
}

function parseListeners(text: string): Record<string, number> {
  const { listener_statuses } = JSON.parse(text) as { listener_statuses?: ListenerStatus[] };
  return Object.fromEntries(
    (listener_statuses ?? []).map(one => [one.name, one.local_address?.socket_address?.port_value ?? 0]),
  );
}
