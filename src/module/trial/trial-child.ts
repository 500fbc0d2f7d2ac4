import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { CHILD_LOADER, type ChildEntry, readChildCode } from './child-code.ts';

/** What a child process is started with. */
export interface ChildBounds {
  /** Of the plugin's linear memory, pages of 64 KiB. */
  readonly memoryPages: number;
  /** Of V8 itself, MiB; tables of functions count here. */
  readonly heapMiB: number;
  /** Compiled as Envoy compiles: slower, with smaller stack frames. */
  readonly isOptimized: boolean;
  /** Of processor time, s: the system ends it then, also when nobody is left to do so. */
  readonly processorS: number;
}

/** A process that loads its code and then waits for its order. It ends when nobody is left who could give it one. */
export interface TrialChild {
  readonly pid: number | undefined;
  /** An order and its module. */
  give(parts: readonly Uint8Array[]): void;
  /** What it tells from now on, as text: to this one alone. */
  listen(take: (text: string) => void): void;
  kill(): void;
  /** Never rejects. */
  readonly ended: Promise<ChildEnd>;
}

export interface ChildEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The first line of the end of what it wrote to stderr, or why it could not be started. */
  readonly complaint: string;
}

const MAX_COMPLAINT_CHARS = 2_000;

/**
 * A child process that has nothing but its pipes: no environment, no files, no network, no further processes. Rejects
 * where none can be started.
 */
export async function startChild(entry: ChildEntry, bounds: ChildBounds): Promise<TrialChild> {
  const code = await readChildCode(entry);
  const child = spawnChild(bounds);
  let complaint = '';
  child.stderr?.setEncoding('utf8').on('data', text => {
    complaint = (complaint + text).slice(-MAX_COMPLAINT_CHARS);
  });
  // A child that is gone has an ending; that its pipe broke says nothing more.
  child.stdin?.on('error', () => {});
  child.stdin?.write(code);
  let tell = (_text: string) => {};
  child.stdout?.setEncoding('utf8').on('data', text => tell(text));
  const ended = new Promise<ChildEnd>(resolve => {
    child.once('error', error => {
      complaint = error.message;
      if (child.pid === undefined) resolve({ exitCode: null, signal: null, complaint });
    });
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal, complaint: toLine(complaint) }));
  });
  return {
    pid: child.pid,
    give(parts) {
      // As one write: each is a call of the system, and wakes the child up.
      child.stdin?.cork();
      for (const part of parts) child.stdin?.write(part);
      child.stdin?.uncork();
    },
    listen(take) {
      tell = take;
    },
    kill: () => void child.kill('SIGKILL'),
    ended,
  };
}

function spawnChild({ memoryPages, heapMiB, isOptimized, processorS }: ChildBounds): ChildProcess {
  const args = [
    `--max-old-space-size=${heapMiB}`,
    `--wasm-max-mem-pages=${memoryPages}`,
    '--experimental-wasm-type-reflection',
    ...(isOptimized ? ['--no-liftoff'] : []),
    '--permission',
    '--no-warnings',
    '--input-type=module',
    '--eval',
    CHILD_LOADER,
  ];
  const child = spawn(...withLimits(process.execPath, args, processorS), {
    cwd: '/',
    env: {},
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
  if (child.pid !== undefined) void offerToKiller(child.pid);
  return child;
}

const SHELL = '/bin/sh';

/**
 * No core files, and an end to its processor time even when nobody is left to end it: a loop in Wasm would outlive us.
 * Without a shell the deadline has to do.
 */
function withLimits(program: string, args: readonly string[], processorS: number): [string, string[]] {
  if (process.platform === 'win32' || !existsSync(SHELL)) return [program, [...args]];
  const script = `ulimit -c 0; ulimit -t ${processorS}; exec "$@"`;
  return [SHELL, ['-c', script, 'sh', program, ...args]];
}

/** Where memory runs out on the whole machine, Linux ends this process first. */
async function offerToKiller(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/oom_score_adj`, '1000').catch(() => {});
}

function toLine(text: string): string {
  return (
    text
      .split('\n')
      .find(line => /\S/.test(line))
      ?.trim() ?? ''
  );
}
