import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

const running = new Set<ChildProcess>();
let watching = false;

/** How a child ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/**
 * A child process that does not outlive this one: when a test file is ended by its time limit, its children are
 * ended with it. `ended` resolves when the child has gone (and rejects when it could not be started).
 */
export function spawnChild(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
): { readonly child: ChildProcess; readonly ended: Promise<Ending> } {
  watchOurEnd();
  const child = spawn(command, args, options);
  running.add(child);
  const ended = new Promise<Ending>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal }));
  }).finally(() => running.delete(child));
  ended.catch(() => {});
  return { child, ended };
}

/** Asks the child to end, and after `graceMs` makes it. */
export async function endChild(
  { child, ended }: { readonly child: ChildProcess; readonly ended: Promise<Ending> },
  graceMs = 5_000,
): Promise<Ending> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  try {
    return await ended;
  } finally {
    clearTimeout(timer);
  }
}

function watchOurEnd(): void {
  if (watching) return;
  watching = true;
  process.on('exit', () => {
    for (const child of running) child.kill('SIGKILL');
  });
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
}
