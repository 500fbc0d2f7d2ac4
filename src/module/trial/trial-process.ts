import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { toMessage } from '../../model/error.ts';
import type { Clock } from '../../model/ports.ts';
import { CHILD_LOADER, type ChildEntry, readChildCode, toFrame } from './child-code.ts';
import { watchDeadline } from './trial-deadline.ts';
import type { TrialEvent, TrialOrder } from './trial-protocol.ts';
import { type ChildEnding, type TrialResult, toTrialResult } from './trial-result.ts';

/** How much a child process may take. */
export interface TrialBounds {
  /** Of the plugin's linear memory, pages of 64 KiB. */
  readonly memoryPages: number;
  /** Of V8 itself, MiB; tables of functions count here. */
  readonly heapMiB: number;
  /** Compiled as Envoy compiles: slower, with smaller stack frames. */
  readonly isOptimized: boolean;
  /** Of the module's own time. */
  readonly limitMs: number;
}

/** What a child told, and how it ended. */
export interface ChildReport<E> {
  readonly events: readonly E[];
  readonly ending: ChildEnding;
}

/** Until a child has read its module. */
const START_LIMIT_MS = 30_000;
/** More than any honest child writes. */
const MAX_OUTPUT_BYTES: Readonly<Record<ChildEntry, number>> = {
  'trial-entry': 1 << 20,
  'stream-entry': 64 << 20,
};
const MAX_COMPLAINT_CHARS = 2_000;

/**
 * One run in a child process that has nothing but its pipes: no environment, no files, no network, no further
 * processes. `signal` ends it early, which counts as `not-run`.
 */
export async function runTrialProcess(
  bytes: Uint8Array,
  order: TrialOrder,
  bounds: TrialBounds,
  clock: Clock,
  signal: AbortSignal,
): Promise<TrialResult> {
  const { events, ending } = await runChild<TrialEvent>('trial-entry', bytes, order, bounds, clock, signal);
  return toTrialResult(events, ending);
}

/**
 * The same for whatever the child of this name is told and tells: an order, then the module; a JSON line for each event,
 * of which `ready` begins the module's own time.
 */
export async function runChild<E extends { readonly kind: string }>(
  entry: ChildEntry,
  bytes: Uint8Array,
  order: object,
  bounds: TrialBounds,
  clock: Clock,
  signal: AbortSignal,
): Promise<ChildReport<E>> {
  signal.throwIfAborted();
  const { limitMs } = bounds;
  let child: ChildProcess;
  let code: Uint8Array;
  try {
    code = await readChildCode(entry);
    signal.throwIfAborted();
    child = spawnChild(bounds);
  } catch (error) {
    signal.throwIfAborted();
    const how = { isTimedOut: false, exitCode: null, signal: null };
    return { events: [], ending: { ...how, complaint: toMessage(error), limitMs } };
  }
  const events: E[] = [];
  let isTimedOut = false;
  let complaint = '';
  const kill = () => void child.kill('SIGKILL');
  const expire = () => {
    isTimedOut = true;
    kill();
  };
  const stopStartTimer = clock.after(START_LIMIT_MS, kill);
  let stopDeadline = () => {};
  signal.addEventListener('abort', kill);
  child.stderr?.setEncoding('utf8').on('data', text => {
    complaint = (complaint + text).slice(-MAX_COMPLAINT_CHARS);
  });
  readEvents<E>(child, MAX_OUTPUT_BYTES[entry], kill, event => {
    events.push(event);
    if (event.kind !== 'ready') return;
    stopStartTimer();
    stopDeadline = watchDeadline(child.pid, limitMs, clock, expire);
  });
  feed(child, [code, toFrame(order), bytes]);
  const { exitCode, by } = await new Promise<{ exitCode: number | null; by: string | null }>(resolve => {
    child.once('error', error => {
      complaint = error.message;
      if (child.pid === undefined) resolve({ exitCode: null, by: null });
    });
    child.once('close', (code, by) => resolve({ exitCode: code, by }));
  });
  stopStartTimer();
  stopDeadline();
  signal.removeEventListener('abort', kill);
  signal.throwIfAborted();
  return { events, ending: { isTimedOut, exitCode, signal: by, complaint: toLine(complaint), limitMs } };
}

function spawnChild({ memoryPages, heapMiB, isOptimized, limitMs }: TrialBounds): ChildProcess {
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
  const child = spawn(...withLimits(process.execPath, args, limitMs), {
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
function withLimits(program: string, args: readonly string[], limitMs: number): [string, string[]] {
  if (process.platform === 'win32' || !existsSync(SHELL)) return [program, [...args]];
  const seconds = Math.ceil((2 * limitMs + START_LIMIT_MS) / 1000);
  const script = `ulimit -c 0; ulimit -t ${seconds}; exec "$@"`;
  return [SHELL, ['-c', script, 'sh', program, ...args]];
}

/** Where memory runs out on the whole machine, Linux ends this process first. */
async function offerToKiller(pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/oom_score_adj`, '1000').catch(() => {});
}

function feed(child: ChildProcess, parts: readonly Uint8Array[]): void {
  // A child that is gone has an ending; that its pipe broke says nothing more.
  child.stdin?.on('error', () => {});
  for (const part of parts) child.stdin?.write(part);
  child.stdin?.end();
}

/** Each line once it is whole. More than `maxBytes` ends the child. */
function readEvents<E>(
  child: ChildProcess,
  maxBytes: number,
  giveUp: () => void,
  take: (event: E) => void,
): void {
  let rest = '';
  let total = 0;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    total += text.length;
    if (total > maxBytes) return giveUp();
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    try {
      for (const line of lines) take(JSON.parse(line) as E);
    } catch {
      giveUp();
    }
  });
}

function toLine(text: string): string {
  return (
    text
      .split('\n')
      .find(line => /\S/.test(line))
      ?.trim() ?? ''
  );
}
