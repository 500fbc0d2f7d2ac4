import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { endChild, spawnChild } from '../harness/child-process.ts';
import { type Stoppable, stopAfter } from '../harness/cleanup.ts';
import { execute } from './go-tools.ts';
import { findInPath } from './tools.ts';

/** gRPC for Python, with what it imports. */
const PACKAGES = [
  'grpcio==1.85.1',
  'grpcio-reflection==1.85.1',
  'grpcio-health-checking==1.85.1',
  'protobuf==7.36.2',
  'typing-extensions==4.16.0',
];
const CACHE = fileURLToPath(new URL('../../.cache/python-grpc', import.meta.url));
const FOLDER = join(CACHE, '1.85.1');
const SCRIPTS = fileURLToPath(new URL('./python', import.meta.url));

/** The environment in which a script finds gRPC. Without Python the test is skipped, and says that it was not run. */
export async function findPythonGrpc(t: TestContext): Promise<Readonly<Record<string, string>> | undefined> {
  if (findInPath('python3') === undefined) {
    t.skip('not run: python3 is not installed');
    return undefined;
  }
  if (!existsSync(FOLDER)) {
    if (process.env.ATTACHE_NO_BUILDS === '1') {
      t.skip('not run: gRPC for Python was not installed yet, and $ATTACHE_NO_BUILDS says not to');
      return undefined;
    }
    await install();
  }
  return { PYTHONPATH: FOLDER, PYTHONDONTWRITEBYTECODE: '1' };
}

async function install(): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const partial = await mkdtemp(join(CACHE, 'partial-'));
  try {
    const how = ['--quiet', '--no-input', '--disable-pip-version-check', '--no-compile', '--no-deps'];
    const args = ['-m', 'pip', 'install', ...how, '--only-binary', ':all:', '--target', partial, ...PACKAGES];
    const { code, err } = await execute('python3', args, tmpdir(), { PIP_USER: '0' });
    if (code !== 0) throw new Error(`python3 ${args.join(' ')}: ${err}`);
    await rename(partial, FOLDER);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

export function pythonScript(name: string): string {
  return join(SCRIPTS, name);
}

/** `xds_client.py` at the other end of a pipe. */
export class PythonClient implements Stoppable {
  readonly #running: ReturnType<typeof spawnChild>;
  readonly #lines: AsyncIterator<string>;

  constructor(address: string, env: Readonly<Record<string, string>>) {
    this.#running = spawnChild('python3', [pythonScript('xds_client.py'), address], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    const { stdout } = this.#running.child;
    if (stdout === null) throw new Error('it has no output');
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  static async start(t: TestContext, address: string): Promise<PythonClient | undefined> {
    const env = await findPythonGrpc(t);
    return env === undefined ? undefined : stopAfter(t, new PythonClient(address, env));
  }

  /** Throws what the client says went wrong. */
  // biome-ignore lint/suspicious/noExplicitAny: what it answers is what the tests are about.
  async do(what: string, more: object = {}): Promise<any> {
    this.#running.child.stdin?.write(`${JSON.stringify({ do: what, ...more })}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the client ended');
    const { answer, error } = JSON.parse(value);
    if (error !== undefined) throw new Error(error);
    return answer;
  }

  async stop(): Promise<void> {
    await endChild(this.#running);
  }
}
