import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Ending, spawnChild } from '../harness/child-process.ts';

export type ToPlane = { readonly ask: 'memory' } | { readonly ask: 'stop' };

export interface Memory {
  /** Bytes, after a full collection. */
  readonly heapUsed: number;
  /** Bytes of buffers, which lie outside of the heap. */
  readonly arrayBuffers: number;
  readonly rss: number;
  /** Used since its start. */
  readonly cpuMs: number;
}

export type FromPlane =
  | { readonly said: 'ready'; readonly xds: string; readonly api: string }
  | ({ readonly said: 'memory' } & Memory)
  | { readonly said: 'stopped'; readonly left: readonly string[]; readonly errors: readonly string[] };

const PROGRAM = fileURLToPath(new URL('./plane-process.ts', import.meta.url));
const STOP_MS = 30_000;

/** How the process ended: by itself, with nothing open, unless it was killed after half a minute. */
export interface PlaneEnd {
  readonly ending: Ending;
  readonly left: readonly string[];
  /** What it logged as an error. */
  readonly errors: readonly string[];
}

/** The control plane in a process of its own, asked over its channel. */
export class Plane {
  readonly #running: ReturnType<typeof spawnChild>;
  readonly #folder: string;
  readonly #heard: FromPlane[] = [];
  #waiting: (() => void)[] = [];
  xds = '';
  api = '';

  private constructor(folder: string, limits: readonly string[]) {
    this.#folder = folder;
    const args = ['--expose-gc', '--disable-warning=ExperimentalWarning', PROGRAM, join(folder, 'data')];
    this.#running = spawnChild(process.execPath, [...args, ...limits], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      cwd: folder,
    });
    this.#running.child.on('message', (message: FromPlane) => {
      this.#heard.push(message);
      for (const resolve of this.#waiting.splice(0)) resolve();
    });
    this.#running.ended.then(
      () => this.#waiting.splice(0).map(resolve => resolve()),
      () => {},
    );
  }

  static async start(limits: readonly string[]): Promise<Plane> {
    const plane = new Plane(await mkdtemp(join(tmpdir(), 'attache-soak-')), limits);
    const { xds, api } = await plane.#hear('ready');
    plane.xds = xds;
    plane.api = api;
    return plane;
  }

  async memory(): Promise<Memory> {
    this.#tell({ ask: 'memory' });
    return this.#hear('memory');
  }

  async stop(): Promise<PlaneEnd> {
    this.#tell({ ask: 'stop' });
    const timer = setTimeout(() => this.#running.child.kill('SIGKILL'), STOP_MS);
    const { left, errors } = await this.#hear('stopped');
    const ending = await this.#running.ended;
    clearTimeout(timer);
    await rm(this.#folder, { recursive: true, force: true });
    return { ending, left, errors };
  }

  /** Throws unless the answer is 2xx. */
  async must(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(this.api + path, {
      method,
      signal: AbortSignal.timeout(60_000),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  }

  #tell(message: ToPlane): void {
    this.#running.child.send(message);
  }

  async #hear<S extends FromPlane['said']>(said: S): Promise<FromPlane & { said: S }> {
    for (;;) {
      const at = this.#heard.findIndex(message => message.said === said);
      if (at >= 0) return this.#heard.splice(at, 1)[0] as FromPlane & { said: S };
      const { exitCode, signalCode } = this.#running.child;
      if (exitCode !== null || signalCode !== null)
        throw new Error(`the control plane ended with ${exitCode ?? signalCode} instead of saying ${said}`);
      await new Promise<void>(resolve => this.#waiting.push(resolve));
    }
  }
}
