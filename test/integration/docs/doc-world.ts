import {
  chmodSync,
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endChild, spawnChild } from '../../harness/child-process.ts';
import { envoyBinary } from '../../harness/envoy-binary.ts';
import { freePort } from '../../harness/free-port.ts';
import { startUpstream, type Upstream } from '../../harness/upstream.ts';
import { until } from '../../harness/wait.ts';

const PROGRAM = fileURLToPath(new URL('../../../bin/attache', import.meta.url));
/** One command of a document; what takes longer is not for a reader to wait for. */
const COMMAND_LIMIT_MS = 60_000;
/** Until what stays in the foreground is up: an Envoy with a plugin is compiled first. */
const KEEP_LIMIT_MS = 90_000;

/** What a command printed, and how it ended. */
export interface Typed {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

type Child = ReturnType<typeof spawnChild>;

/**
 * A machine as a reader of a document has it: an empty folder, `attache` and `envoy` on the PATH, an application to
 * protect, and the ports that the document names, here free ones. Commands are typed into a shell.
 */
export class DocWorld {
  readonly folder: string;
  readonly ports: Readonly<Record<'xds' | 'modules' | 'api' | 'listener' | 'admin', number>>;
  readonly #upstream: Upstream;
  readonly #exported: Record<string, string> = {};
  /** What stays in the foreground of a terminal of its own, by what it is. */
  readonly #kept = new Map<'server' | 'envoy' | 'other', Child>();

  private constructor(folder: string, ports: DocWorld['ports'], upstream: Upstream) {
    this.folder = folder;
    this.ports = ports;
    this.#upstream = upstream;
  }

  static async create(): Promise<DocWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'attache-docs-'));
    const [xds, modules, api, listener, admin] = await Promise.all([1, 2, 3, 4, 5].map(() => freePort()));
    const ports = { xds: xds ?? 0, modules: modules ?? 0, api: api ?? 0 };
    const world = new DocWorld(
      folder,
      { ...ports, listener: listener ?? 0, admin: admin ?? 0 },
      await startUpstream(),
    );
    world.writeProgram('attache', `exec ${PROGRAM} "$@"`);
    // Several run on this machine: none may take the place of another.
    const envoy = await envoyBinary('1.40.0');
    world.writeProgram('envoy', `exec ${envoy} "$@" --disable-hot-restart --concurrency 1 --log-level error`);
    for (const name of ['log', 'data', 'backup', 'tmp']) mkdirSync(join(folder, name));
    return world;
  }

  get api(): string {
    return `http://127.0.0.1:${this.ports.api}`;
  }

  /** Puts a program on the PATH: the lines of a shell script. */
  writeProgram(name: string, script: string): void {
    const path = this.write(`bin/${name}`, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
  }

  write(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    return path;
  }

  /** A text of a document with the addresses and folders that it has here. */
  localize(text: string): string {
    const { xds, modules, api, listener, admin } = this.ports;
    const pairs: readonly (readonly [RegExp, string])[] = [
      // First: the folder that stands for the others lies below /tmp itself.
      [/(?<=\s)\/(?=(backup|tmp)\/)/g, `${this.folder}/`],
      [/\b(127\.0\.0\.1|localhost|attache\.internal):18000\b/g, `127.0.0.1:${xds}`],
      [/\b(127\.0\.0\.1|localhost|attache\.internal):18001\b/g, `127.0.0.1:${modules}`],
      [/\b(127\.0\.0\.1|10\.0\.0\.5|localhost|attache\.internal):18002\b/g, `127.0.0.1:${api}`],
      [/\bregistry\.example\//g, `127.0.0.1:${api}/`],
      [/\b127\.0\.0\.1:3000\b/g, `127.0.0.1:${this.#upstream.port}`],
      [/\b127\.0\.0\.1:9901\b/g, `127.0.0.1:${admin}`],
      [/\b127\.0\.0\.1:10000\b|\blocalhost:10000\b/g, `127.0.0.1:${listener}`],
      [/--port 10000\b/g, `--port ${listener}`],
      [/--admin-port 9901\b/g, `--admin-port ${admin}`],
      [/\/var\/log\/envoy\b/g, join(this.folder, 'log')],
      [/\/var\/lib\/attache\b/g, join(this.folder, 'data')],
    ];
    return pairs.reduce((all, [pattern, own]) => all.replace(pattern, own), text);
  }

  /** Types a command and waits for its end. What it exports holds for all that follow. */
  async type(command: string): Promise<Typed> {
    if (command.startsWith('export '))
      for (const [, name = '', value = ''] of command.matchAll(/([A-Z_]+)=(\S+)/g))
        this.#exported[name] = value;
    const name = join(this.folder, '.typed');
    const [out, err] = [`${name}.out`, `${name}.err`];
    const child = this.#spawn(command, out, err);
    const timer = setTimeout(() => child.child.kill('SIGKILL'), COMMAND_LIMIT_MS);
    const { code } = await child.ended;
    clearTimeout(timer);
    return { code: code ?? -1, out: readFileSync(out, 'utf8'), err: readFileSync(err, 'utf8') };
  }

  /** Types what stays in the foreground; what was there of its kind before is ended first. */
  async keep(what: 'server' | 'envoy' | 'other', command: string): Promise<void> {
    await this.#end(what);
    const log = join(this.folder, `.${what}.log`);
    const child = this.#spawn(command, log, log);
    this.#kept.set(what, child);
    let hasEnded = false;
    const ended = child.ended.then(() => {
      hasEnded = true;
    });
    const isUp = async () => {
      if (hasEnded) return true;
      if (what === 'server') return isReady(`${this.api}/readyz`);
      if (what === 'envoy') return this.#isConnected();
      return readFileSync(log, 'utf8').trim() !== '';
    };
    await Promise.race([until(isUp, { what: `${command} is up`, deadlineMs: KEEP_LIMIT_MS }), ended]);
    if (hasEnded) throw new Error(`${command}: it ended: ${readFileSync(log, 'utf8')}`);
  }

  async stop(): Promise<void> {
    for (const what of ['other', 'envoy', 'server'] as const) await this.#end(what);
    await this.#upstream.stop();
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The process group: a shell line can be several programs. */
  async #end(what: 'server' | 'envoy' | 'other'): Promise<void> {
    const child = this.#kept.get(what);
    this.#kept.delete(what);
    if (child !== undefined) await endChild(child, 10_000);
  }

  async #isConnected(): Promise<boolean> {
    const { items } = (await (await fetch(`${this.api}/v1/nodes`)).json()) as {
      items: readonly { status: { state: string } }[];
    };
    return items.some(({ status }) => status.state === 'Connected');
  }

  #spawn(command: string, out: string, err: string): Child {
    const { xds, modules, api } = this.ports;
    const [stdout, stderr] = [openSync(out, 'w'), openSync(err, 'w')];
    // The last command of a line takes the shell's place: it is what gets the signals.
    const line = command.includes('<<')
      ? command
      : command.replace(/(^|&& )(?=(attache|envoy) [^|&]*$)/, '$1exec ');
    const child = spawnChild('bash', ['-eo', 'pipefail', '-c', line], {
      cwd: this.folder,
      stdio: ['ignore', stdout, stderr],
      env: {
        PATH: `${join(this.folder, 'bin')}:${process.env.PATH}`,
        HOME: this.folder,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? join(tmpdir(), 'attache-compile-cache'),
        ATTACHE_SERVER: this.api,
        ATTACHE_XDS_LISTEN: `127.0.0.1:${xds}`,
        ATTACHE_MODULES_LISTEN: `127.0.0.1:${modules}`,
        ATTACHE_API_LISTEN: `127.0.0.1:${api}`,
        ATTACHE_LOG_LEVEL: 'error',
        ...this.#exported,
      },
    });
    for (const fd of [stdout, stderr]) closeSync(fd);
    return child;
  }
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}
