import type { XdsLimits } from '../../model/xds-limits.ts';
import { LimitError } from './limit-error.ts';
import { Pace } from './pace.ts';

/** What a stream may ask at once: ten seconds of its rate. */
const BURST_S = 10;
/** So many bytes cost as much as one request more. */
const BYTES_PER_REQUEST = 256 * 1024;
/** Who was behind for so long without a pause does not stop by itself. */
export const FLOOD_MS = 60_000;

/**
 * How fast the requests of one stream are taken: who asks faster is read more slowly, so that nothing piles up and the
 * others keep their turn. Pure.
 */
export class RequestPace {
  readonly #perSecond: number;
  readonly #pace: Pace;
  #behindSince: number | undefined;

  constructor(limits: Pick<XdsLimits, 'requests-per-second'>) {
    this.#perSecond = limits['requests-per-second'];
    this.#pace = new Pace(this.#perSecond, this.#perSecond * BURST_S);
  }

  /** ms that this request has to wait. Throws LimitError for a flood that does not end. */
  arrive(now: number, bytes: number): { readonly waitMs: number; readonly isFirstBehind: boolean } {
    const waitMs = this.#pace.waitOf(now);
    const isFirstBehind = waitMs > 0 && this.#behindSince === undefined;
    // Our own timers are late at times: that is no pause.
    if (waitMs > 0) this.#behindSince ??= now;
    else if (this.#pace.isRested(now)) this.#behindSince = undefined;
    if (this.#behindSince !== undefined && now - this.#behindSince >= FLOOD_MS)
      throw new LimitError(
        'requests-per-second',
        'requests-too-fast',
        `for a minute this stream has sent more than ${this.#perSecond} requests a second`,
        'Answer each response once, and change names together in one request',
      );
    this.#pace.take(now, 1 + Math.floor(bytes / BYTES_PER_REQUEST));
    return { waitMs, isFirstBehind };
  }
}
