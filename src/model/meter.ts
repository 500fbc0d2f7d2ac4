/**
 * What is counted while it happens, because nobody could read it off a state later; all else that /metrics tells is read
 * when it is asked for. Filled by api/metrics. No argument may be a name that a user or a node chose.
 */
export interface Meter {
  /** A response with resources of this type went out to an Envoy. */
  pushed(typeUrl: string): void;
  acked(typeUrl: string): void;
  /** Once for each NACK, when its reason is known. */
  nacked(typeUrl: string, reason: NackReason): void;
  /** What changed for a connected Envoy was all acknowledged this long after the change. */
  converged(seconds: number): void;
  /** Whether a module that is needed is in the cache. */
  lookedUp(hit: boolean): void;
  /** A module was brought from its source: `ok`, `cancelled`, or the code of the error. */
  fetched(result: string): void;
  /** A plugin was tried before it was rolled out: a TrialOutcome, and how long it was waited for. */
  tried(result: string, seconds: number): void;
  /** A transaction of the store is durable. */
  wrote(seconds: number): void;
  /** A transaction that could have been made was not: the code of the StoreError. */
  writeFailed(code: string): void;
  /** A request of the API port was answered; `route` is its template, undefined where there is none. */
  requested(route: string | undefined, method: string, status: number | undefined): void;
  /** Starts a stopwatch; the answer reads it, seconds. */
  start(): () => number;
}

/**
 * Why an Envoy did not take what it was sent.
 * - `missing`: it had to fetch a module first, and is sent the same again; nothing is wrong
 * - `probe`: the answer that was wanted, to something sent only to see whether this Envoy reaches the module port
 * - `unconfirmed`: perhaps refused, or a module was missing; it is sent once more before a plugin is blamed
 * - `refused`: it does not take the content
 * - `unreachable`: it does not reach the module port
 * - `unexplained`: it refused what it had taken before
 * - `superseded`: something newer was wanted before the reason was known
 */
export const NACK_REASONS = [
  'missing',
  'probe',
  'unconfirmed',
  'refused',
  'unreachable',
  'unexplained',
  'superseded',
] as const;
export type NackReason = (typeof NACK_REASONS)[number];

export const silentMeter: Meter = {
  pushed() {},
  acked() {},
  nacked() {},
  converged() {},
  lookedUp() {},
  fetched() {},
  tried() {},
  wrote() {},
  writeFailed() {},
  requested() {},
  start: () => () => 0,
};
