import type { XdsLimits } from '../../model/xds-limits.ts';
import { LimitError } from './limit-error.ts';
import { Pace } from './pace.ts';

/** Where the rate is exceeded, a new stream waits this long at most. */
export const ADMISSION_WAIT_MS = 1000;
/** Discovery streams that are taken in at once after a pause. */
const MOST_AT_ONCE = 256;
/** Of new calls of one connection, per second. */
const MOST_PER_CONNECTION = 50;
/** So many connections beyond the limit are told why, in a gRPC status; more are cut at once. */
export const TOLD_CONNECTIONS = 100;

/** `told`: its streams get a status that says why, nothing else. `cut`: not even that. */
export type Reception = 'served' | 'told' | 'cut';

interface Connection {
  readonly isServed: boolean;
  readonly pace: Pace;
  streams: number;
}

/** Who may come in: counts connections and streams, and bounds the rate of new ones. Pure; times in ms. */
export class StreamGate {
  readonly #limits: XdsLimits;
  readonly #admission: Pace;
  /** By what stands for it: an address may be taken anew before the end of its last connection is told. */
  readonly #connections = new Map<unknown, Connection>();
  #streams = 0;
  #told = 0;

  constructor(limits: XdsLimits) {
    this.#limits = limits;
    const rate = limits['new-streams-per-second'];
    this.#admission = new Pace(rate, Math.min(rate, MOST_AT_ONCE));
  }

  get connections(): number {
    return this.#connections.size;
  }

  get streams(): number {
    return this.#streams;
  }

  connect(key: unknown): Reception {
    const isServed = this.#connections.size - this.#told < this.#limits.connections;
    if (!isServed && this.#told >= TOLD_CONNECTIONS) return 'cut';
    if (!isServed) this.#told += 1;
    const share = Math.min(MOST_PER_CONNECTION, Math.max(1, this.#limits['new-streams-per-second'] / 4));
    this.#connections.set(key, { isServed, pace: new Pace(share, share), streams: 0 });
    return isServed ? 'served' : 'told';
  }

  disconnect(key: unknown): void {
    const connection = this.#connections.get(key);
    if (connection === undefined) return;
    this.#connections.delete(key);
    if (!connection.isServed) this.#told -= 1;
  }

  /** A new stream or call; answers how long it has to wait, ms. Throws LimitError, and then counts nothing. */
  enter(key: unknown, isDiscovery: boolean, now: number): number {
    const connection = this.#connections.get(key);
    const { connections, streams, 'streams-per-connection': own } = this.#limits;
    // One that broke meanwhile has no entry: its stream ends by itself.
    if (connection === undefined) return this.#count(undefined, 0);
    if (!connection.isServed)
      throw new LimitError(
        'connections',
        'too-many-connections',
        `${connections} connections are open`,
        'This one is closed; come again later',
      );
    if (this.#streams >= streams)
      throw new LimitError(
        'streams',
        'too-many-streams',
        `${streams} streams are open`,
        'Come again later, or use one stream for all types (ADS)',
      );
    if (connection.streams >= own)
      throw new LimitError(
        'streams-per-connection',
        'too-many-streams',
        `this connection has ${own} streams open`,
        'Use one stream for all types (ADS)',
      );
    const ownMs = connection.pace.waitOf(now);
    const waitMs = isDiscovery ? Math.max(ownMs, this.#admission.waitOf(now)) : ownMs;
    if (waitMs > ADMISSION_WAIT_MS) throw toCrowded();
    connection.pace.take(now);
    if (isDiscovery) this.#admission.take(now);
    return this.#count(connection, waitMs);
  }

  /** A stream that entered has gone, before or after its connection. */
  leave(key: unknown): void {
    this.#streams -= 1;
    const connection = this.#connections.get(key);
    if (connection !== undefined && connection.streams > 0) connection.streams -= 1;
  }

  #count(connection: Connection | undefined, waitMs: number): number {
    this.#streams += 1;
    if (connection !== undefined) connection.streams += 1;
    return waitMs;
  }
}

/** Its turn did not come in time. */
export function toCrowded(): LimitError {
  return new LimitError(
    'new-streams-per-second',
    'too-many-new-streams',
    'more streams begin than are taken in',
    'Come again later',
  );
}
