import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { until } from './wait.ts';

/** In the command line of a process that runs trials. */
export const TRIAL_CHILD = '--wasm-max-mem-pages';

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

export async function untilGone(pid: number | undefined): Promise<void> {
  assert.ok(pid !== undefined);
  await until(() => !isAlive(pid), { what: `the end of process ${pid}` });
}

/** The processes that a process has started and that still run; `named`: those whose command line has this. */
export async function childrenOf(parent: number, named = ''): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid=,args=']);
  return stdout
    .split('\n')
    .map(line => /^\s*(\d+)\s+(\d+)\s+(.*)/.exec(line) ?? [])
    .filter(([, , ppid, args = '']) => Number(ppid) === parent && args.includes(named))
    .map(([, pid]) => Number(pid));
}
