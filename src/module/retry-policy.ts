import { toEstimateText } from '../model/quantity-text.ts';
import { ModuleError } from './module-error.ts';

/** How transient faults are tried again: ever slower, and not for ever. */

const BASE_MS = 250;
const CAP_MS = 60_000;
const LONGEST_ASKED_MS = 3_600_000;

/**
 * The wait after the `attempt`-th failure (1, 2, …): 250 ms doubled each time, at most a minute, the upper half of it
 * by chance (`jitter` 0 to 1) so that many plugins do not come back together; never earlier than the other side
 * asked, which may ask for an hour at most.
 */
export function toRetryDelayMs(attempt: number, jitter: number, retryAfterMs = 0): number {
  const full = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt - 1, 20));
  const own = Math.round(full * (0.5 + jitter / 2));
  return Math.max(own, Math.min(retryAfterMs, LONGEST_ASKED_MS));
}

/** The same fault once nothing is tried any more: its next step is a person's. */
export function toGivenUp(
  { code, message, hint = '', faults }: ModuleError,
  deadlineMs: number,
): ModuleError {
  const own = hint.replace('It is tried again.', '').trim();
  const end = `Attaché asked for ${toEstimateText(deadlineMs)} and gave up: retry the rollout, or apply again.`;
  return new ModuleError(code, message, { hint: [own, end].filter(Boolean).join(' '), faults });
}
