/** What Linux tells of a running process: proc(5). */
import { readFileSync, writeFileSync } from 'node:fs';

/** USER_HZ, which Linux gives to programs on every machine. */
const TICK_MS = 10;

/** User and system time of a process so far, in steps of 10 ms; `own` without the children that ended. */
export function readCpuMs(pid: number): { readonly own: number; readonly children: number } {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // utime, stime, cutime and cstime, behind the name in parentheses.
  const ticks = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 15)
    .map(Number);
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = ticks;
  return { own: (user + system) * TICK_MS, children: (childUser + childSystem) * TICK_MS };
}

/** The same, where `children` also has those that still run, and theirs: trial runs are made in processes that stay. */
export function readTreeCpuMs(pid: number): { readonly own: number; readonly children: number } {
  const { own, children } = readCpuMs(pid);
  const living = readChildren(pid).map(child => {
    try {
      const cost = readTreeCpuMs(child);
      return cost.own + cost.children;
    } catch {
      // It has ended since.
      return 0;
    }
  });
  return { own, children: living.reduce((sum, ms) => sum + ms, children) };
}

/** Resident memory now, or at its highest. */
export function readMiB(pid: number, name: 'VmRSS' | 'VmHWM'): number {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]) / 1024;
}

/** Sets the highest back to the present value. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

export function readChildren(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}
