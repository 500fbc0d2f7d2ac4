import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, open, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installationCache } from '../../src/cli/installation.ts';

const run = promisify(execFile);
const SOURCE = fileURLToPath(new URL('clock-shim.c', import.meta.url));
const FLAGS = ['-shared', '-fPIC', '-O1', '-o'];

/** The clocks of processes started with `env`, which can be moved forward while they run. Linux only. */
export interface ClockShim {
  readonly env: Readonly<Record<string, string>>;
  /** Further forward by so many hours. */
  advanceHours(hours: number): Promise<void>;
  stop(): Promise<void>;
}

/** Compiles the shim once, with `cc` or else with the compiler of the PyPI wheel `ziglang`. */
export async function startClockShim(): Promise<ClockShim> {
  const library = await buildShim();
  const folder = await mkdtemp(join(tmpdir(), 'attache-clock-'));
  const path = join(folder, 'offset');
  const file = await open(path, 'w+');
  let hours = 0;
  const write = async () => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(Math.round(hours * 3600)) * 1_000_000_000n);
    await file.write(bytes, 0, 8, 0);
  };
  await write();
  return {
    env: { LD_PRELOAD: library, CLOCK_SHIM_FILE: path },
    async advanceHours(more) {
      hours += more;
      await write();
    },
    async stop() {
      await file.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function buildShim(): Promise<string> {
  const source = await readFile(SOURCE);
  const name = `clock-shim-${createHash('sha256').update(source).digest('hex').slice(0, 16)}.so`;
  const library = join(installationCache(process.env), 'clock-shim', name);
  if (await exists(library)) return library;
  await mkdir(join(installationCache(process.env), 'clock-shim'), { recursive: true });
  const partial = `${library}.${randomBytes(4).toString('hex')}`;
  await compile(partial);
  await rename(partial, library);
  return library;
}

async function compile(target: string): Promise<void> {
  const args = [...FLAGS, target, SOURCE, '-ldl'];
  try {
    await run('cc', args);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    const zig = await installZig();
    await run('python3', ['-m', 'ziglang', 'cc', ...args], { env: { ...process.env, PYTHONPATH: zig } });
  }
}

/** There is no compiler: one comes from PyPI, once. */
async function installZig(): Promise<string> {
  const folder = join(installationCache(process.env), 'zig');
  if (await exists(join(folder, 'ziglang'))) return folder;
  const partial = `${folder}.${randomBytes(4).toString('hex')}`;
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-input', '--disable-pip-version-check', '--no-deps'];
  try {
    await run('python3', [...pip, '--only-binary', ':all:', '--target', partial, 'ziglang']);
    await rename(partial, folder).catch(async error => {
      // Another process was faster.
      if (!(await exists(folder))) throw error;
    });
  } catch (cause) {
    throw new Error('the clock shim needs a C compiler: apt install gcc, or pip that can install ziglang', {
      cause,
    });
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
  return folder;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
