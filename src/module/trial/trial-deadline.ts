import { readFile } from 'node:fs/promises';
import type { Clock } from '../../model/ports.ts';

/** However busy the machine is. */
const MAX_WAIT_FACTOR = 4;
/** Linux counts processor time in these. */
const TICK_MS = 10;

/** Of processor time, ms: how much a run may take in a process that had taken so much before. */
export interface ProcessorLimit {
  readonly limitMs: number;
  readonly usedMs: number;
}

/**
 * Calls back once when a process has used up its limit, unless the answer is called before. On a busy machine a
 * process gets less than it could use, which must not count against it: where the system tells the processor time
 * (Linux) the limit is of that, and of four times as much time on the clock; elsewhere it is of time on the clock.
 */
export function watchDeadline(
  pid: number | undefined,
  { limitMs, usedMs: before }: ProcessorLimit,
  clock: Clock,
  expire: () => void,
): () => void {
  let cancel = () => {};
  let isOver = false;
  const latest = clock.now() + MAX_WAIT_FACTOR * limitMs;
  const wait = (ms: number) => {
    cancel = clock.after(ms, () => void check());
  };
  const check = async () => {
    const usedMs = pid === undefined ? undefined : await readProcessorTimeMs(pid);
    if (isOver) return;
    const leftMs = usedMs === undefined ? 0 : Math.min(limitMs + before - usedMs, latest - clock.now());
    if (leftMs <= 0) expire();
    else wait(Math.max(leftMs, TICK_MS));
  };
  wait(limitMs);
  return () => {
    isOver = true;
    cancel();
  };
}

/** User and system time of a process so far; undefined where the system does not tell. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
async function readProcessorTimeMs(pid: number): Promise<number | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The second field, in parentheses, may hold spaces.
    const [user, system] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13);
    const ticks = Number(user) + Number(system);
    return Number.isFinite(ticks) ? ticks * TICK_MS : undefined;
  } catch {
    return undefined;
  }
}
