/** The last write of observations; both 0 before the first. */
export interface LastWrite {
  /** When it was durable, ms since the epoch. */
  readonly endedAt: number;
  /** How long everything stood still for it, ms. */
  readonly tookMs: number;
}

/** For those who come in the same moment: they go in one write. */
const SOON_MS = 2;
/** From one write to the next: each has readers who are called for it. */
const APART_MS = 15;
/**
 * Where somebody waits writes take a 25th of the time at most, on a disk that is not slow, and where nobody does a ninth: the
 * rest is for what they tell of.
 */
const AWAITED_SHARE = 24;
const SHARE = 8;
/** Nobody waits longer, however slow the disk is, or where the clock was set back. */
const MOST_AWAITED_MS = 100;
/** Where nobody waits and the disk is quick. */
export const USUAL_MS = 100;
const MOST_MS = 300;

/**
 * How long to wait from `now`, ms, until what was observed is written. An Envoy that starts gets nothing before its
 * presence is durable. One of few has it soon; where thousands come at once each is one of many that wait for their turn
 * anyway, and the fewer writes interrupt that the better: 5,000 took 250 of them and 1.0 s, with a share of a fifth, and
 * take 50 and 0.4 s.
 */
export function toWriteDelay(
  now: number,
  { endedAt, tookMs }: LastWrite,
  isAwaited: boolean,
  usualMs = USUAL_MS,
): number {
  const apartMs = Math.max(AWAITED_SHARE * tookMs, APART_MS);
  if (isAwaited) return clamp(endedAt + apartMs - now, SOON_MS, MOST_AWAITED_MS);
  return clamp(SHARE * tookMs, usualMs, MOST_MS);
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}
