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
