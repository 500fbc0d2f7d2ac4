/** What the pure parts are given instead of reading it themselves. Filled in control-plane.ts. */

/** Wall-clock time in milliseconds since the epoch, and one-shot timers. A test passes a fake. */
export interface Clock {
  now(): number;
  /** Calls back once after `delayMs`; the answer cancels it. */
  after(delayMs: number, callback: () => void): () => void;
}

/** Calls back in a later turn of the event loop, when what waits now was served; the answer cancels it. */
export type NextTurn = (callback: () => void) => () => void;

/** Unpredictable bytes, as lower-case hex of `bytes` random bytes. */
export type RandomHex = (bytes: number) => string;

/** The part of pino that the stages use; log fields use proto names (`node`, `type_url`, `nonce`). */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
