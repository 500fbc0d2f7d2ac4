import { setTimeout as delay } from 'node:timers/promises';

/** Bounds a failure and no success: a machine that is busy with other things takes as long as it takes, ms. */
export const LONGEST_MS = 50_000;

/** What is waited for, and for how long at most (default LONGEST_MS). */
export interface Waiting {
  readonly what: string;
  readonly deadlineMs?: number;
  /** How often the condition is looked at (default 20 ms). */
  readonly everyMs?: number;
}

/**
 * Waits until the condition gives something other than undefined, null or false, and gives it back. A condition
 * that throws is not met yet; after the deadline the error says what was waited for and what it threw last.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  waiting: Waiting,
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = performance.now() + (waiting.deadlineMs ?? LONGEST_MS);
  let cause: unknown;
  for (;;) {
    try {
      const value = await condition();
      if (value !== undefined && value !== null && value !== false)
        return value as Exclude<T, undefined | null | false>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= deadline) break;
    await delay(waiting.everyMs ?? 20);
  }
  const reason = cause instanceof Error ? `: ${cause.message}` : '';
  throw new Error(`waited ${waiting.deadlineMs ?? LONGEST_MS} ms for ${waiting.what}${reason}`, { cause });
}

/** Looks for as long as `forMs` and throws as soon as the condition does not hold: for what must not happen. */
export async function holds(
  condition: () => boolean | Promise<boolean>,
  waiting: { readonly what: string; readonly forMs: number },
): Promise<void> {
  const end = performance.now() + waiting.forMs;
  while (performance.now() < end) {
    if (!(await condition())) throw new Error(`did not hold for ${waiting.forMs} ms: ${waiting.what}`);
    await delay(20);
  }
}
