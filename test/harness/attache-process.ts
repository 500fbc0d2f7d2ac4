import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { JsonObject } from '../../src/model/plugin-spec.ts';
import { type Ending, endChild, spawnChild } from './child-process.ts';
import type { FixtureModule } from './fixture-modules.ts';
import { freePort } from './free-port.ts';
import { LONGEST_MS, until } from './wait.ts';
import { API_TYPE } from './xds-form.ts';

const run = promisify(execFile);
const PROGRAM = fileURLToPath(new URL('../../bin/attache', import.meta.url));

/** What the data directory's addresses.json says. */
export interface AttacheAddresses {
  readonly xds: string;
  readonly modules: string;
  readonly api: string;
}

export interface AttacheOptions {
  /** Added to those of `serve`. */
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The program and what comes before `serve`, instead of `bin/attache`. */
  readonly command?: readonly [string, ...string[]];
}

export interface ApiAnswer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test asserts on what came, whatever it is.
  readonly body: any;
}

/**
 * `bin/attache serve` as a process of its own, on ports of its own, with a data directory that lasts until
 * `stop`. After `kill9` or `end` it can be started again on the same data and the same ports.
 */
export class AttacheProcess {
  /** Holds `data/`, `modules/` (where file:// modules may lie) and the log. */
  readonly folder: string;
  readonly #options: AttacheOptions;
  #addresses: AttacheAddresses | undefined;
  #running: ReturnType<typeof spawnChild> | undefined;

  private constructor(folder: string, options: AttacheOptions) {
    this.folder = folder;
    this.#options = options;
  }

  static async start(options: AttacheOptions = {}): Promise<AttacheProcess> {
    const folder = await mkdtemp(join(tmpdir(), 'attache-serve-'));
    await mkdir(join(folder, 'modules'));
    const attache = new AttacheProcess(folder, options);
    const [xds, modules, api] = [await freeAddress(), await freeAddress(), await freeAddress()];
    attache.#addresses = { xds, modules, api: `http://${api}` };
    try {
      await attache.startAgain();
    } catch (error) {
      await attache.stop();
      throw error;
    }
    return attache;
  }

  get addresses(): AttacheAddresses {
    if (this.#addresses === undefined) throw new Error('attache has no ports yet');
    return this.#addresses;
  }

  get pid(): number {
    return this.#running?.child.pid ?? 0;
  }

  get isRunning(): boolean {
    return (
      this.#running !== undefined &&
      this.#running.child.exitCode === null &&
      this.#running.child.signalCode === null
    );
  }

  /** Starts the program, each time with the same ports. Resolves when it is ready. */
  async startAgain(): Promise<void> {
    const file = join(this.folder, 'data', 'addresses.json');
    await rm(file, { force: true });
    const log = await open(join(this.folder, 'attache.log'), 'a');
    const [program, ...before] = this.#options.command ?? [PROGRAM];
    const running = spawnChild(program, [...before, 'serve', ...this.#flags()], {
      stdio: ['ignore', log.fd, log.fd],
      env: { ...process.env, ATTACHE_SERVER: '', ...this.#options.env },
      cwd: this.folder,
    });
    this.#running = running;
    await log.close();
    let ending: Ending | undefined;
    running.ended.then(
      value => (ending = value),
      () => {},
    );
    const text = await until(async () => ending ?? (await readFile(file, 'utf8')), {
      what: 'attache to say where it listens',
    });
    if (typeof text !== 'string')
      throw new Error(
        `attache serve ended with ${JSON.stringify(text)}:\n${(await this.log()).slice(-2_000)}`,
      );
    this.#addresses = JSON.parse(text) as AttacheAddresses;
    await until(async () => (await this.request('GET', '/readyz')).status === 200, {
      what: 'attache to be ready',
    });
  }

  #flags(): string[] {
    const { xds, modules, api } = this.addresses;
    return [
      ['--data', join(this.folder, 'data')],
      ['--xds-listen', xds],
      ['--modules-listen', modules],
      ['--api-listen', api.replace('http://', '')],
      ['--module-directory', join(this.folder, 'modules')],
      ...(this.#options.flags ?? []),
    ].flat();
  }

  async kill9(): Promise<void> {
    this.#running?.child.kill('SIGKILL');
    await this.#running?.ended;
  }

  /** SIGTERM, and waits until it has gone; the data stays. */
  async end(): Promise<Ending> {
    if (this.#running === undefined) throw new Error('attache was never started');
    return endChild(this.#running, LONGEST_MS);
  }

  async stop(): Promise<void> {
    if (this.isRunning) await this.end();
    await rm(this.folder, { recursive: true, force: true });
  }

  log(): Promise<string> {
    return readFile(join(this.folder, 'attache.log'), 'utf8');
  }

  async request(method: string, path: string, body?: unknown): Promise<ApiAnswer> {
    const response = await fetch(this.addresses.api + path, {
      method,
      signal: AbortSignal.timeout(70_000),
      ...(body === undefined
        ? {}
        : {
            body: JSON.stringify(body),
            headers: {
              'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
            },
          }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, body: isJson ? JSON.parse(text) : text };
  }

  /** As `request`; throws unless the answer is 2xx. */
  async must(method: string, path: string, body?: unknown): Promise<ApiAnswer['body']> {
    const answer = await this.request(method, path, body);
    if (answer.status >= 300)
      throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** Lays a module down and gives the URL of a document for it. */
  async offer(module: Pick<FixtureModule, 'bytes' | 'sha256'>): Promise<string> {
    const path = join(this.folder, 'modules', `${module.sha256}.wasm`);
    await writeFile(path, module.bytes);
    return `file://${path}`;
  }

  /** Applies a WasmPlugin; `name` in the namespace `default`, or `<namespace>/<name>`. */
  applyPlugin(name: string, spec: JsonObject): Promise<ApiAnswer['body']> {
    const metadata = toMetadata(name);
    const document = { apiVersion: 'extensions.istio.io/v1alpha1', kind: 'WasmPlugin', metadata, spec };
    return this.must('PUT', `/v1/plugins/${metadata.namespace}/${metadata.name}`, document);
  }

  /** From every node at once. */
  deletePlugin(name: string): Promise<ApiAnswer['body']> {
    const { namespace, name: own } = toMetadata(name);
    return this.must('DELETE', `/v1/plugins/${namespace}/${own}?now=true`);
  }

  /** Applies a bare Envoy resource to every node of the namespace `default`, or to those that `selector` chooses. */
  applyResource(
    type: string,
    name: string,
    resource: JsonObject,
    selector?: JsonObject,
  ): Promise<ApiAnswer['body']> {
    const document = {
      apiVersion: 'attache/v1',
      kind: 'EnvoyResource',
      metadata: toMetadata(name),
      spec: { resource, ...(selector === undefined ? {} : { selector }) },
    };
    return this.must('PUT', `/v1/resources/${type}/default/${name}`, document);
  }

  /** What the node says about a plugin, or undefined. */
  async pluginOn(node: string, plugin: string): Promise<PluginOnNode | undefined> {
    const { status, body } = await this.request('GET', `/v1/nodes/${node}`);
    if (status !== 200) return undefined;
    const { namespace, name } = toMetadata(plugin);
    return body.status.plugins.find((one: PluginOnNode) => one.plugin === `${namespace}/${name}`);
  }

  /** Until the node has accepted this revision of the plugin, and runs it. */
  async waitAccepted(
    node: string,
    plugin: string,
    revision: number,
    deadlineMs = LONGEST_MS,
  ): Promise<PluginOnNode> {
    let last: PluginOnNode | undefined;
    try {
      return await until(
        async () => {
          last = await this.pluginOn(node, plugin);
          return isAccepted(last) && last?.revision === revision && last;
        },
        { what: `${node} to accept ${plugin} revision ${revision}`, deadlineMs },
      );
    } catch (error) {
      throw new Error(`${error}; it says ${JSON.stringify(last)}`, { cause: error });
    }
  }

  /** The text of `attache bootstrap`, with the form of xDS of the run. */
  async bootstrap(args: readonly string[]): Promise<string> {
    const { stdout } = await this.cli(['bootstrap', '--server', this.addresses.api, ...args]);
    return stdout.replace('api_type: DELTA_GRPC', `api_type: ${API_TYPE}`);
  }

  /** Another verb of the program, talking to this server. */
  cli(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
    return run(PROGRAM, args, { env: { ...process.env, ATTACHE_SERVER: this.addresses.api } });
  }
}

/** The part of the API's answer that tests look at. */
export interface PluginOnNode {
  readonly plugin: string;
  readonly state: string;
  readonly reason: string | null;
  readonly revision: number | null;
  readonly desiredRevision: number | null;
  readonly refusedRevision: number | null;
  readonly message: string | null;
}

/** Loaded is Accepted, and proven by what the node showed later. */
export function isAccepted(plugin: PluginOnNode | undefined): boolean {
  return plugin?.state === 'Accepted' || plugin?.state === 'Loaded';
}

function toMetadata(name: string): { readonly namespace: string; readonly name: string } {
  const [first = '', second] = name.split('/');
  return second === undefined ? { namespace: 'default', name: first } : { namespace: first, name: second };
}

async function freeAddress(): Promise<string> {
  return `127.0.0.1:${await freePort()}`;
}
