import { setTimeout as delay } from 'node:timers/promises';

const EVERY_MS = 200;

/**
 * Asks again and again until the answer is good or `timeoutMs` is over; answers the last one and whether it was
 * good. An error ends it, and so does the signal.
 */
export async function pollUntil<T>(
  ask: () => Promise<T>,
  isGood: (answer: T) => boolean,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<{ readonly answer: T; readonly good: boolean }> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return { answer, good: true };
    if (performance.now() >= deadline) return { answer, good: false };
    await delay(EVERY_MS, undefined, signal === undefined ? {} : { signal });
  }
}
