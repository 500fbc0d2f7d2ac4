import type { Log } from '../../model/ports.ts';
import { type LimitHits, XDS_LIMITS, type XdsLimitName } from '../../model/xds-limits.ts';

/** Whoever makes many mistakes must not fill the log too. */
const LOG_EVERY_MS = 10_000;

/** Counts how often each limit was hit, and logs it now and then. */
export class HitCounter {
  readonly #log: Log;
  readonly #hits = new Map<XdsLimitName, { count: number; lastAt: number; loggedAt: number }>();

  constructor(log: Log) {
    this.#log = log;
  }

  hit(limit: XdsLimitName, peer: string, message: string, now: number): void {
    const known = this.#hits.get(limit) ?? { count: 0, lastAt: now, loggedAt: Number.NEGATIVE_INFINITY };
    // The clock may have been set back since.
    const isLogged = now < known.loggedAt || now - known.loggedAt >= LOG_EVERY_MS;
    const count = known.count + 1;
    this.#hits.set(limit, { count, lastAt: now, loggedAt: isLogged ? now : known.loggedAt });
    if (isLogged) this.#log.warn({ limit, peer, count, reason: message }, 'a limit of the xDS port was hit');
  }

  /** Every limit, also those that were never hit. */
  all(): Readonly<Record<XdsLimitName, LimitHits>> {
    return Object.fromEntries(
      XDS_LIMITS.map(({ name }) => {
        const known = this.#hits.get(name);
        return [name, { count: known?.count ?? 0, lastAt: known?.lastAt ?? null }];
      }),
    ) as Record<XdsLimitName, LimitHits>;
  }
}
