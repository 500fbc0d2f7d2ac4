import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';

const MARK = 'ATTACHE_TEST_RUN';

/** Every process started from here on, and all that they start, carries this run's mark in its environment. */
export function markRun(): void {
  process.env[MARK] = randomBytes(8).toString('hex');
}

/** Processes with our mark, this one apart. Linux only (/proc); elsewhere it knows of none. */
export async function findLeftProcesses(): Promise<{ pid: number; command: string }[]> {
  const mark = `${MARK}=${process.env[MARK]}`;
  const left: { pid: number; command: string }[] = [];
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    // Gone in between, or somebody else's: not ours either way.
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (!environment.split('\0').includes(mark)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
    left.push({ pid, command: command.split('\0').slice(0, 3).join(' ') });
  }
  return left;
}
