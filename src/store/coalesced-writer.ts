import type { Clock, Log } from '../model/ports.ts';
import { checkKey } from './key-order.ts';
import type { KeyOperation, Records, Store, WritableKind } from './store.ts';
import { type LastWrite, toWriteDelay, USUAL_MS } from './write-pace.ts';

/**
 * Collects observations (NodePresence, NodeVerdict, Event) and writes them together, so that a fleet that answers
 * at once costs a commit now and then, not one per node: see write-pace.ts. The last value of a key wins. Never for what
 * must be durable before it is answered.
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
  /** Calls back once what was put before is durable, which is soon then; at once when nothing is pending. */
  afterWrite(callback: () => void): void;
  /** Flushes and ends; rejects with the store's error when the rest could not be written. */
  stop(): Promise<void>;
}

const MAX_RETRY_MS = 5_000;
/** Tries on stop, before what is left is given up. */
const STOP_TRIES = 3;

/** `intervalMs`: from what is observed to the write of it, where nobody waits and the disk is quick. Default 100. */
export function createCoalescedWriter(
  store: Store,
  clock: Clock,
  log: Log,
  options: { readonly intervalMs?: number } = {},
): CoalescedWriter {
  return new Writer(store, clock, log, options.intervalMs ?? USUAL_MS);
}

class Writer implements CoalescedWriter {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #usualMs: number;
  #pending = new Batch();
  /** What is being written; empty: nothing is. */
  #underWay = new Batch();
  /** The write that is to come. */
  #timer: { readonly dueAt: number; cancel(): void } | undefined;
  #last: LastWrite = { endedAt: 0, tookMs: 0 };
  #writing: Promise<void> = Promise.resolve();
  #failures = 0;
  #stopped = false;

  constructor(store: Store, clock: Clock, log: Log, usualMs: number) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    this.#usualMs = usualMs;
  }

  put<K extends WritableKind>(kind: K, key: string, value: Records[K]): void {
    this.#add(kind, key, value);
  }

  delete(kind: WritableKind, key: string): void {
    this.#add(kind, key, undefined);
  }

  /** One write after the other, each with everything that is pending when it begins. */
  flush(): Promise<void> {
    const written = this.#writing.then(() => this.#writePending());
    this.#writing = written.catch(() => {});
    return written;
  }

  afterWrite(callback: () => void): void {
    const newest = this.#pending.isEmpty ? this.#underWay : this.#pending;
    if (newest.isEmpty) {
      callback();
      return;
    }
    newest.waiting.push(callback);
    if (newest === this.#pending) this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    for (let left = STOP_TRIES; ; left -= 1) {
      try {
        return await this.flush();
      } catch (error) {
        if (left === 1) throw error;
      }
    }
  }

  #add<K extends WritableKind>(kind: K, key: string, value: Records[K] | undefined): void {
    checkKey(key);
    if (this.#stopped) {
      this.#log.warn({ kind, key }, 'an observation came after the writer stopped');
      return;
    }
    this.#pending.add(kind, key, value);
    if (this.#timer === undefined) this.#schedule();
  }

  /** What is pending is written soon enough. After a failure who waits hurries nothing. */
  #schedule(): void {
    if (this.#stopped || (this.#failures > 0 && this.#timer !== undefined)) return;
    const now = this.#clock.now();
    const isAwaited = this.#pending.waiting.length > 0;
    this.#writeIn(toWriteDelay(now, this.#last, isAwaited, this.#usualMs), now);
  }

  #writeIn(delayMs: number, now = this.#clock.now()): void {
    const dueAt = now + delayMs;
    if (this.#timer !== undefined && this.#timer.dueAt <= dueAt) return;
    this.#timer?.cancel();
    const cancel = this.#clock.after(delayMs, () => {
      this.#timer = undefined;
      // The failure is logged and retried where it happens.
      this.flush().catch(() => {});
    });
    this.#timer = { dueAt, cancel };
  }

  async #writePending(): Promise<void> {
    const batch = this.#pending;
    if (batch.isEmpty) return;
    this.#underWay = batch;
    this.#pending = new Batch();
    const began = this.#clock.now();
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
      if (!this.#stopped) this.#writeIn(Math.min(this.#usualMs * 2 ** this.#failures, MAX_RETRY_MS));
      throw error;
    } finally {
      this.#underWay = new Batch();
    }
    const endedAt = this.#clock.now();
    this.#last = { endedAt, tookMs: endedAt - began };
    this.#failures = 0;
    for (const callback of batch.waiting) callback();
  }
}

/** What is written together: what each record becomes last, and who waits for it. */
class Batch {
  /** By kind, by key; undefined: it goes. Operations are made when they are due, so that they do not outlive it. */
  readonly #kinds = new Map<WritableKind, Map<string, Records[WritableKind] | undefined>>();
  readonly waiting: (() => void)[] = [];

  get isEmpty(): boolean {
    return this.#kinds.size === 0;
  }

  add(kind: WritableKind, key: string, value: Records[WritableKind] | undefined): void {
    const ofKind = this.#kinds.get(kind);
    if (ofKind !== undefined) ofKind.set(key, value);
    else this.#kinds.set(kind, new Map([[key, value]]));
  }

  operations(): readonly KeyOperation[] {
    const operations: KeyOperation[] = [];
    for (const [kind, ofKind] of this.#kinds)
      for (const [key, value] of ofKind)
        operations.push(
          value === undefined
            ? { op: 'delete', kind, key }
            : ({ op: 'put', kind, key, value } as KeyOperation),
        );
    return operations;
  }

  /** `newer` is not used any more. */
  merge(newer: Batch): void {
    for (const [kind, ofKind] of newer.#kinds) for (const [key, value] of ofKind) this.add(kind, key, value);
    this.waiting.push(...newer.waiting);
  }
}
