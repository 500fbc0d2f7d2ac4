import type { Clock, Log } from '../model/ports.ts';
import { checkKey } from './key-order.ts';
import type { KeyOperation, Records, Store, WritableKind } from './store.ts';

/**
 * Collects observations (NodePresence, NodeVerdict, Event) and writes them together, so that a fleet that answers
 * at once costs one commit per interval, not one per node. The last value of a key wins. Never for what must be
 * durable before it is answered.
 */
export interface CoalescedWriter {
  /** Throws StoreError `invalid-operation` for a key that is none; after stop it is dropped, and logged. */
  put<K extends WritableKind>(kind: K, key: string, value: Records[K]): void;
  delete(kind: WritableKind, key: string): void;
  /**
   * Resolves when everything put before is durable. Rejects with the store's error when it cannot be written now;
   * it stays pending and goes on being tried.
   */
  flush(): Promise<void>;
  /** Calls back once what was put before is durable, without hurrying it; at once when nothing is pending. */
  afterWrite(callback: () => void): void;
  /** Flushes and ends; rejects with the store's error when the rest could not be written. */
  stop(): Promise<void>;
}

const MAX_RETRY_MS = 5_000;
/** Tries on stop, before what is left is given up. */
const STOP_TRIES = 3;

export function createCoalescedWriter(
  store: Store,
  clock: Clock,
  log: Log,
  options: { readonly intervalMs?: number } = {},
): CoalescedWriter {
  return new Writer(store, clock, log, options.intervalMs ?? 100);
}

class Writer implements CoalescedWriter {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #intervalMs: number;
  #pending = new Batch();
  /** What is being written; empty: nothing is. */
  #underWay = new Batch();
  #cancelTimer: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failures = 0;
  #stopped = false;

  constructor(store: Store, clock: Clock, log: Log, intervalMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#intervalMs = intervalMs;
  }

  put<K extends WritableKind>(kind: K, key: string, value: Records[K]): void {
    this.#add({ op: 'put', kind, key, value } as KeyOperation);
  }

  delete(kind: WritableKind, key: string): void {
    this.#add({ op: 'delete', kind, key });
  }

  /** One write after the other, each with everything that is pending when it begins. */
  flush(): Promise<void> {
    const written = this.#writing.then(() => this.#writePending());
    this.#writing = written.catch(() => {});
    return written;
  }

  afterWrite(callback: () => void): void {
    const newest = this.#pending.isEmpty ? this.#underWay : this.#pending;
    if (newest.isEmpty) callback();
    else newest.waiting.push(callback);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    for (let left = STOP_TRIES; ; left -= 1) {
      try {
        return await this.flush();
      } catch (error) {
        if (left === 1) throw error;
      }
    }
  }

  #add(operation: KeyOperation): void {
    checkKey(operation.key);
    if (this.#stopped) {
      this.#log.warn(
        { kind: operation.kind, key: operation.key },
        'an observation came after the writer stopped',
      );
      return;
    }
    this.#pending.add(operation);
    this.#schedule(this.#intervalMs);
  }

  #schedule(delayMs: number): void {
    this.#cancelTimer ??= this.#clock.after(delayMs, () => {
      this.#cancelTimer = undefined;
      // The failure is logged and retried where it happens.
      this.flush().catch(() => {});
    });
  }

  async #writePending(): Promise<void> {
    const batch = this.#pending;
    if (batch.isEmpty) return;
    this.#underWay = batch;
    this.#pending = new Batch();
    try {
      await this.#store.transaction(batch.operations());
    } catch (error) {
      this.#failures += 1;
      this.#log.error(
        { err: error, failures: this.#failures },
        'observations could not be written; trying again',
      );
      // What was put meanwhile is newer.
      batch.merge(this.#pending);
      this.#pending = batch;
      if (!this.#stopped) this.#schedule(Math.min(this.#intervalMs * 2 ** this.#failures, MAX_RETRY_MS));
      throw error;
    } finally {
      this.#underWay = new Batch();
    }
    this.#failures = 0;
    for (const callback of batch.waiting) callback();
  }
}

/** What is written together: the last operation on each record, and who waits for it. */
class Batch {
  /** By kind, by key. */
  readonly #kinds = new Map<WritableKind, Map<string, KeyOperation>>();
  readonly waiting: (() => void)[] = [];

  get isEmpty(): boolean {
    return this.#kinds.size === 0;
  }

  add(operation: KeyOperation): void {
    const ofKind = this.#kinds.get(operation.kind);
    if (ofKind !== undefined) ofKind.set(operation.key, operation);
    else this.#kinds.set(operation.kind, new Map([[operation.key, operation]]));
  }

  operations(): readonly KeyOperation[] {
    return [...this.#kinds.values()].flatMap(ofKind => [...ofKind.values()]);
  }

  /** `newer` is not used any more. */
  merge(newer: Batch): void {
    for (const operation of newer.operations()) this.add(operation);
    this.waiting.push(...newer.waiting);
  }
}
