import type { WebhookOutcome } from '../model/webhook.ts';

const BASE_MS = 1_000;
const CAP_MS = 300_000;
/** What a receiver does not want at all is not tried for a day: others wait behind it. */
const MOST_REFUSALS = 6;
/** Nobody wants to be woken by what is older. */
const MOST_AGE_MS = 24 * 3_600_000;

/** The wait after the `tries`-th failure: a second doubled each time, at most 5 min, its upper half by `chance` (0 to 1). */
export function toDelayMs(tries: number, chance: number): number {
  const full = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(tries - 1, 20));
  return Math.round(full * (0.5 + chance / 2));
}

/** Whether a message that failed so often is given up; `ageMs`: since it happened. */
export function isOver({ kind }: WebhookOutcome, tries: number, ageMs: number): boolean {
  return ageMs >= MOST_AGE_MS || (kind === 'refused' && tries >= MOST_REFUSALS);
}
